/** What cases assert with beyond node:assert. */
import assert from 'node:assert/strict'
import type { Failure, GuardOf, Outcome } from './driver.ts'

export const RANGE_ERROR = 'ERR_OUT_OF_RANGE'
export const TYPE_ERROR = 'ERR_INVALID_ARG_TYPE'
export const VALUE_ERROR = 'ERR_INVALID_ARG_VALUE'

const NAMES: Record<string, string> = {
  [RANGE_ERROR]: 'RangeError',
  [TYPE_ERROR]: 'TypeError',
  [VALUE_ERROR]: 'TypeError',
}

/** That an operation failed with this code, and with the class of error that belongs to it. */
export async function failsWith(code: string, failure: Promise<Failure> | Failure, about?: string): Promise<void> {
  const { name, code: actual, message } = await failure
  assert.deepEqual({ name, code: actual }, { name: NAMES[code] ?? 'ShareError', code }, `${about ?? ''} ${message}`)
}

export function isGuard(value: unknown, abandoned = false): asserts value is GuardOf {
  assert.equal((value as GuardOf | undefined)?.['@guard'] !== undefined, true, `no guard: ${JSON.stringify(value)}`)
  assert.equal((value as GuardOf).abandoned, abandoned)
}

/** What became of a request in one word: `guard`, `nothing`, or the code of its error. */
export function verdict({ value, error }: Outcome): string {
  if (error !== undefined) return error.code ?? error.name
  return value === undefined ? 'nothing' : 'guard'
}

/** What some did, in the order in which they did it. */
export async function inOrder<T>(promises: readonly Promise<T>[]): Promise<number[]> {
  const order: number[] = []
  await Promise.all(promises.map((promise, i) => promise.then(() => order.push(i))))
  return order
}

/** Timers count from the beginning of the turn in which they are set. */
const EARLY_MS = 5

/** That waiting took at least that long. */
export async function tookAtLeast(ms: number, what: () => Promise<unknown>): Promise<void> {
  const before = performance.now()
  await what()
  const took = performance.now() - before
  assert.ok(took >= ms - EARLY_MS, `it took only ${took} ms`)
}
