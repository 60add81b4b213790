/**
 * How much the stress tests do: few runs by default, thousands by `PROCSHARE_RUNS=5000 npm run test:stress`, and the same
 * ones again by `PROCSHARE_SEED`. A failure says its seed, and so does every run; `PROCSHARE_PATH` goes straight to the
 * program at the path that it says, and `PROCSHARE_SHRINK=1` looks for a smaller one that fails.
 */
import { randomInt } from 'node:crypto'

function numberFrom(name: string): number | undefined {
  const text = process.env[name]
  if (text === undefined || text === '') return undefined
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw new TypeError(`${name} must be an integer, but is ${text}`)
  return number
}

/** Of this run. */
export const seed: number = numberFrom('PROCSHARE_SEED') ?? randomInt(2 ** 31)

/** Longer than any default run; a run of thousands is given an hour. */
export const STRESS_TIMEOUT_MS = 3_600_000

/** What fast-check is to do. @param runs - when the environment does not say how many */
export function settings(runs: number): { seed: number; numRuns: number; endOnFailure: boolean; path?: string } {
  const numRuns = numberFrom('PROCSHARE_RUNS') ?? runs
  // Each attempt to make a failing program smaller may have to wait for a deadline, so that is for those who ask for it.
  const endOnFailure = process.env.PROCSHARE_SHRINK === undefined
  const path = process.env.PROCSHARE_PATH
  return { seed, numRuns, endOnFailure, ...(path !== undefined && { path }) }
}

/** Says how to have the same again. */
export function announce(what: string, { seed, numRuns }: { seed: number; numRuns: number }): void {
  console.info(`${what}: PROCSHARE_SEED=${seed} PROCSHARE_RUNS=${numRuns}`)
}
