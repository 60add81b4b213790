/** The contract of namespaces. */
import { contract, type OperationsOf } from '../../contract/contract.ts'
import type { Form, Result } from '../../contract/form.ts'

/** The names of a namespace. */
export type NameOf<Fields> = keyof Fields & string

/** The interface of a namespace. */
export interface NamespaceContract<Fields extends object, F extends Form> {
  /** The value of a name; undefined when there is none. */
  get<N extends NameOf<Fields>>(name: N): Result<F, Fields[N]>

  /** Sets a value. @throws `TypeError` for a name that begins with `_`. */
  set<N extends NameOf<Fields>>(name: N, value: Fields[N]): Result<F, void>

  /** Whether there is a value of that name. */
  has(name: NameOf<Fields>): Result<F, boolean>

  /** Deletes a value; returns whether there was one. */
  delete(name: NameOf<Fields>): Result<F, boolean>

  /** Sets several values in one step, all or none. */
  assign(values: Partial<Fields>): Result<F, void>

  /** A copy of all values, as they are at one moment. */
  snapshot(): Result<F, Fields>

  /** Adds to a number or bigint and returns the result; a name without a value counts as 0. @throws `TypeError` for another value. */
  increment<N extends NameOf<Fields>>(name: N, by?: number | (Fields[N] & bigint)): Result<F, Fields[N]>

  /** Sets a value and returns the old one. */
  exchange<N extends NameOf<Fields>>(name: N, value: Fields[N]): Result<F, Fields[N]>

  /** Sets a value if the present one is the same as `expected`; returns whether it did. */
  compareAndSet<N extends NameOf<Fields>>(
    name: N,
    expected: Fields[N] | undefined,
    value: Fields[N],
  ): Result<F, boolean>
}

/** The operations of a namespace in the server. */
export interface NamespaceOperations extends OperationsOf<NamespaceContract<Record<string, unknown>, 'server'>> {}

export const namespaceContract = contract<NamespaceOperations, [values?: unknown]>('Namespace', [])
