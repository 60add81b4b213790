/** The types of {@link Manager.transaction}: every operation is checked against its proxy. */
import type { ManagedProxy } from './proxy.ts'

/** One operation of a transaction: `[proxy, method, ...arguments]`. */
export type AnyOperation = readonly [proxy: object, method: string, ...args: unknown[]]

/** The members of proxies that are not operations. */
type NotCalled = keyof ManagedProxy

/** The names of a proxy's operations. */
type MethodOf<P> = {
  [K in keyof P]: K extends NotCalled | symbol
    ? never
    : P[K] extends ((...args: never[]) => Promise<unknown>) | Promise<unknown>
      ? K
      : never
}[keyof P] &
  string

/** The operations of a proxy. For any other name, the type makes the compiler's error list the operations. */
type OperationOf<P, K> =
  K extends MethodOf<P>
    ? P[K] extends (...args: infer A) => Promise<unknown>
      ? readonly [proxy: P, method: K, ...args: A]
      : readonly [proxy: P, method: K]
    : readonly [proxy: P, method: MethodOf<P>, ...args: never[]]

/** The operations, each checked. */
export type Operations<T extends readonly AnyOperation[]> = {
  readonly [I in keyof T]: T[I] extends readonly [infer P, infer K, ...unknown[]] ? OperationOf<P, K> : never
}

type ResultOf<P, K> = K extends keyof P
  ? P[K] extends (...args: never[]) => Promise<infer R>
    ? R
    : P[K] extends Promise<infer R>
      ? R
      : never
  : never

/** The results of the operations. */
export type Results<T extends readonly AnyOperation[]> = {
  -readonly [I in keyof T]: T[I] extends readonly [infer P, infer K, ...unknown[]] ? ResultOf<P, K> : never
}
