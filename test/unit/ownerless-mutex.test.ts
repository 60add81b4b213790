/** A free mutex whose bytes say that a thread holds it which does not exist: an error, with or without a timeout, and no hang. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { Queue, Value } from 'procshare'
import { expect, it } from 'vitest'
import { FIELDS, pathOf, readSegment } from '../helpers/control-block.mjs'
import { shareError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

/** Linux gives no thread a number as large as this. */
const NOBODY = Math.max(Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8')), 2 ** 22) + 1

/** Writes the owner into the futex words of all mutexes in the cells, which are known by their kind. */
function damageMutexes(name: string): void {
  const { bytes, block } = readSegment(name)
  const file = openSync(pathOf(name), 'r+')
  const owner = Buffer.alloc(4)
  owner.writeUInt32LE(NOBODY)
  for (let at = Number(block.readBigUInt64LE(FIELDS.cellsOffset!)); at + 32 <= bytes.length - 512; at += 16) {
    if (bytes.readUInt32LE(at + 16) === 0x90 && bytes.readBigUInt64LE(at) === 0n) writeSync(file, owner, 0, 4, at)
  }
  closeSync(file)
}

it('a lock that is held by a thread that does not exist is ERR_CORRUPT', () => {
  using value = new Value('i')
  damageMutexes(value.name)
  expect(() => value.add(1)).toThrow(shareError('ERR_CORRUPT'))
  expect(() => value.lock.acquireSync({ timeoutMs: 5000 })).toThrow(shareError('ERR_CORRUPT'))
  expect(value.lock.tryAcquire()).toBeUndefined()
})

it('a queue whose mutexes are held by a thread that does not exist is ERR_CORRUPT', () => {
  using queue = new Queue()
  damageMutexes(queue.name)
  expect(() => queue.putSync(1, { timeoutMs: 5 })).toThrow(shareError('ERR_CORRUPT'))
})
