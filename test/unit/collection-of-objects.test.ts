// What can be waited for is closed by the garbage collector, too, when nobody can reach it any more.
import { Barrier, Condition, Event, listSegments, Pipe, Queue, Semaphore } from 'procshare'
import { expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.ts'

it.each([
  ['Event', () => new Event().name],
  ['Semaphore', () => new Semaphore(1).name],
  ['Condition', () => new Condition().name],
  ['Barrier', () => new Barrier(2).name],
  ['Queue', () => new Queue({ byteLength: 64 }).name],
  ['Pipe', () => new Pipe({ byteLength: 64 })[0].name],
])('a %s that is dropped without close() is collected', async (_kind, make) => {
  const names = new Set(Array.from({ length: 20 }, make))
  await eventually(async () => {
    globalThis.gc?.()
    return listSegments().filter(({ name }) => names.has(name)).length < 2 // the last one may be in a register
  })
  expect(listSegments().filter(({ name }) => names.has(name)).length).toBeLessThan(2)
})
