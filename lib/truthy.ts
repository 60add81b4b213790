/** What a condition waits for: a value that counts as true. */

/** `T` without the values that count as false, as far as TypeScript can tell them from others (not NaN). */
export type Truthy<T> = Exclude<T, false | 0 | 0n | '' | null | undefined>

export function isTruthy<T>(value: T): value is Truthy<T> {
  return Boolean(value)
}
