/** What objects of users' types may do to their server: throw what cannot be sent, settle twice, answer too much. Nothing of it harms it. */
import type { Manager, RegisteredProxy } from 'procshare'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { BOX, type Box, makeBox, startManager } from '../helpers/managed-server.ts'

let manager: Manager
let box: RegisteredProxy<Box>
beforeAll(async () => {
  manager = await startManager()
  box = await makeBox(manager, 1)
})
afterAll(() => manager?.shutdown())

it('a thrown value that cannot be sent arrives as an error with its text', async () => {
  await expect(box.throwUnspeakable()).rejects.toThrow('toString: [Function: toString]')
  await expect(box.rejectUnspeakable()).rejects.toThrow('toString: [Function: toString]')
  expect(await box.get()).toBe(1)
})

it('an error that is too long arrives shortened', async () => {
  await expect(box.throwLong(70 * 2 ** 20)).rejects.toThrow(
    expect.objectContaining({ name: 'RangeError', message: expect.stringMatching(/^x{900,1000}$/) }),
  )
  expect(await box.get()).toBe(1)
})

it('a result that cannot be sent, or is too long, is an error', async () => {
  await expect(box.returnFunction()).rejects.toThrow(expect.objectContaining({ name: 'DataCloneError' }))
  await expect(box.text(65 * 2 ** 20)).rejects.toThrow(shareError('ERR_LIMIT', /allows at most 67108864:/))
  await expect(box.textLater(65 * 2 ** 20)).rejects.toThrow(shareError('ERR_LIMIT'))
  expect(await box.get()).toBe(1)
})

it('a thenable is answered once, with its first result', async () => {
  expect(await box.returnThenable('twice')).toBe(1)
  await expect(box.returnThenable('throw')).rejects.toThrow('no then')
  expect(await box.get()).toBe(1)
})

it('an object that cannot be shown is in the list of objects nevertheless', async () => {
  const dark = await manager.create<Box>('dark', [2])
  await expect(dark.show()).rejects.toThrow('dark')
  expect((await manager.debugInfo()).map(({ text }) => text)).toContain('(cannot be shown: Error: dark)')
  expect(await dark.get()).toBe(2)
})

it('named objects whose creation is asynchronous are made once', async () => {
  const [first, second] = await Promise.all([
    manager.create<Box>('slowBox', [1], { name: 'slow' }),
    manager.create<Box>('slowBox', [2], { name: 'slow' }),
  ])
  expect([await first.get(), await second.get(), first.equals(second)]).toEqual([1, 1, true])
  await expect(manager.create('box', [3], { name: 'slow' })).rejects.toThrow(shareError('ERR_KIND'))
  await manager.unlink('slow')
})

it('a method whose name no request can contain is not exposed', async () => {
  for (const name of ['名前', 'x'.repeat(201), '', 'constructor', 'then']) {
    await expect(manager.register('other', BOX, { exposed: [name] })).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    )
  }
})
