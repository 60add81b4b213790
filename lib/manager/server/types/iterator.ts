/**
 * The iterator: where in a dict or set a client is that iterates over it. It lives as long as the client has its proxy, which it lets go
 * of when the iteration is over.
 */
import { ShareError } from '../../../errors.ts'
import type { Call } from '../call.ts'
import { type ManagedType, methods } from '../managed-type.ts'
import type { Referent } from '../referent.ts'
import { Batch } from './batch.ts'
import type { Cursor, Keyed } from './keys.ts'

/** What of an entry the client wants. */
const PICKS: Readonly<Record<string, (key: unknown, value: unknown) => unknown>> = Object.assign(Object.create(null), {
  keys: (key: unknown) => key,
  values: (_key: unknown, value: unknown) => value,
  entries: (key: unknown, value: unknown) => [key, value],
})

class Iteration {
  readonly #cursor: Cursor<unknown>
  readonly #pick: (key: unknown, value: unknown) => unknown
  #isDone = false

  constructor(keyed: Keyed<unknown>, kind: unknown) {
    const pick = typeof kind === 'string' ? PICKS[kind] : undefined
    if (pick === undefined) throw new ShareError('ERR_PROTOCOL', { detail: 'an iteration over what is unknown' })
    this.#cursor = keyed.cursor()
    this.#pick = pick
  }

  /** The next items; none when it is over, and then for good. */
  next(count: unknown): unknown[] {
    const batch = new Batch<unknown>(count)
    if (!this.#isDone) this.#cursor.advance((key, value) => batch.add(this.#pick(key, value)))
    this.#isDone = batch.items.length === 0
    return batch.items
  }
}

export const iteratorType: ManagedType = {
  name: 'iterator',
  create: () => {
    throw new ShareError('ERR_NOT_EXPOSED', { subject: 'the server', detail: 'the making of iterators' })
  },
  methods: methods({
    next: (iteration: Iteration, _call, count: unknown) => iteration.next(count),
  }),
  show: () => 'iterator',
}

/** Begins an iteration: the first items and, if there are any, the iterator for the others. */
export function iterate(
  keyed: Keyed<unknown>,
  call: Call,
  kind: unknown,
  count: unknown,
): [items: unknown[], iterator?: Referent] {
  const iteration = new Iteration(keyed, kind)
  const items = iteration.next(count)
  return items.length === 0 ? [items] : [items, call.session.make(iteratorType, iteration)]
}
