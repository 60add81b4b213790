/** Increments. */
import { typeError } from '../../../validate.ts'

/** Returns `old` after an increment. @throws `TypeError` for values that cannot be added. */
export function sum(old: unknown, by: unknown, what: string): number | bigint {
  if (typeof by !== 'number' && typeof by !== 'bigint') throw typeError('by', 'a number or a bigint', by)
  if (typeof old !== typeof by) throw typeError(what, `a ${typeof by}, as the increment is`, old)
  return (old as number) + (by as number)
}
