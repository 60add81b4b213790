/**
 * Objects whose cells, description or control block somebody has damaged, and signed again: whoever attaches to them and calls what they
 * have gets results or errors of the library, and no crash, no wait without end and no memory without bounds.
 *
 * HOSTILE_SEED repeats a run; HOSTILE_ROUNDS makes it longer.
 */
import { afterAll, expect, it } from 'vitest'
import { type FixtureProcess, spawnFixture } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const SEED = Number(process.env.HOSTILE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const ROUNDS = Number(process.env.HOSTILE_ROUNDS ?? 10)
const ROUND_DEADLINE_MS = 10_000
const MAX_BYTES = 1 << 30

interface Round {
  readonly how: string
  readonly text: string
  readonly strange: readonly string[]
  readonly rss: number
}

let child: FixtureProcess | undefined
afterAll(async () => {
  await child?.[Symbol.asyncDispose]()
})

async function within<T>(call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the round does not end')), ROUND_DEADLINE_MS)
  })
  return Promise.race([call, late]).finally(() => clearTimeout(timer))
}

const KINDS =
  'Value Struct SharedArray Text Lock RLock Semaphore Recoverable Event Condition Barrier Queue JoinableQueue SimpleQueue Pipe SharedState'

it.each(KINDS.split(' ').flatMap((kind) => [[kind, 'own'] as const, [kind, 'any'] as const]))(
  'a damaged %s of pid namespaces %s gives results and errors of the library',
  async (kind, namespaces) => {
    child ??= await spawnFixture('hostile-fuzz')
    for (let round = 0; round < ROUNDS; round++) {
      const seed = SEED + round
      const name = uniqueName('hostile')
      let found: Round
      try {
        found = await within(child.call<Round>('round', name, kind, namespaces, seed))
      } catch (error) {
        await child[Symbol.asyncDispose]()
        child = undefined
        throw new Error(`HOSTILE_SEED=${seed}`, { cause: error })
      }
      expect(found.strange, `HOSTILE_SEED=${seed} ${found.how} ${found.text}`).toEqual([])
      expect(found.rss).toBeLessThan(MAX_BYTES)
    }
  },
  600_000,
)
