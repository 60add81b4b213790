/** Values that count as true: a condition waits for such a value. */

/** `T` without the values that count as false. It still includes `NaN`, for which TypeScript has no type. */
export type Truthy<T> = Exclude<T, false | 0 | 0n | '' | null | undefined>

export function isTruthy<T>(value: T): value is Truthy<T> {
  return Boolean(value)
}
