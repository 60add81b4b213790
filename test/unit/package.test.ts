import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import * as procshare from 'procshare'
import { expect, it } from 'vitest'

const require = createRequire(import.meta.url)

it('exports its classes and functions by name, and nothing by default', () => {
  const names = [
    'Array',
    'Lock',
    'RLock',
    'RawArray',
    'RawValue',
    'ShareError',
    'SharedArray',
    'SharedMemory',
    'Struct',
    'Value',
  ]
  names.push('attach', 'listSegments', 'removeStaleSegments', 'unlinkSegment')
  for (const name of names) expect([name, typeof Reflect.get(procshare, name)]).toEqual([name, 'function'])
  expect('default' in procshare).toBe(false)
})

it('gives its classes their names', () => {
  for (const name of ['Lock', 'RLock', 'RawArray', 'RawValue', 'ShareError', 'SharedArray', 'SharedMemory', 'Value']) {
    expect((Reflect.get(procshare, name) as { name: string }).name).toBe(name)
  }
})

it('is the same module for CommonJS', () => {
  const required = require('procshare') as typeof procshare
  expect(Object.keys(required).sort()).toEqual(Object.keys(procshare).sort())
  expect(required.Value).toBe(procshare.Value)
})

it('is CommonJS for require(), also where require() cannot load ES modules', () => {
  const program = "const { Value } = require('procshare'); process.stdout.write(String(new Value('i', 7).value))"
  const args = process.allowedNodeEnvironmentFlags.has('--experimental-require-module')
    ? ['--no-experimental-require-module']
    : []
  expect(execFileSync(process.execPath, [...args, '-e', program], { encoding: 'utf8' })).toBe('7')
})

it('is one module in a process that loads it by import and by require()', () => {
  const program = `
    const { Queue, Value } = require('procshare')
    import('procshare').then((face) => {
      const queue = new face.Queue()
      queue.putSync(new Value('i', 5))
      process.stdout.write(JSON.stringify([face.Value === Value, face.Queue === Queue, queue.getSync().value]))
    })`
  expect(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' })).toBe('[true,true,5]')
})

it('contains its own msgpackr, separate from the msgpackr of the program', () => {
  const { Packr, unpack } = require('msgpackr/index-no-eval') as typeof import('msgpackr')
  const packr = new Packr()
  using queue = new procshare.Queue<unknown>()
  const ours = new Map([['ours', [1, 'two', new Error('three')]]])
  queue.putSync(ours)
  const theirs = packr.pack({ theirs: 1 })
  expect(queue.getSync()).toEqual(ours)
  queue.putSync(new Map([['something', ['long', 'enough', 'to', 'be', 'seen']]]))
  expect(unpack(theirs)).toEqual({ theirs: 1 })
  expect(packr.unpack(packr.pack(queue))).not.toBeInstanceOf(procshare.Queue)
})

it('does not export its files', () => {
  for (const path of ['procshare/dist/native.js', 'procshare/lib/index.ts']) {
    expect(() => require(path)).toThrow(expect.objectContaining({ code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' }))
  }
  expect(require('procshare/package.json')).toMatchObject({ name: 'procshare' })
})
