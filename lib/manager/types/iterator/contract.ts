/** The contract of iterators: iterations that go on in the server. */
import { contract } from '../../contract/contract.ts'

/** The part of each entry that an iteration returns. */
export type IterationKind = 'keys' | 'values' | 'entries'

/** The operations of an iterator in the server. */
export interface IteratorOperations<T> {
  /** Up to `count` of the next items; none when there are no more. */
  next(count: number): T[]
}

export const iteratorContract = contract<IteratorOperations<unknown>, [iterable: unknown]>('iterator')
