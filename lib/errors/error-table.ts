/** The common part of the tables of messages: makes the error of a table, and tells for which codes a table has messages. */
import { isShareErrorCode, ShareError, type ShareErrorCode, type ShareErrorInfo } from './share-error.ts'

/** A message for each code, as a function of the fields that the message needs. */
export type MessageTable = { readonly [C in ShareErrorCode]?: (fields: never) => string }

/** The fields that the message of a code needs. */
export type FieldsOf<T extends MessageTable, C extends keyof T> = T[C] extends (fields: infer F) => string ? F : never

/** An error with the message of a table. */
export function errorOf<T extends MessageTable, C extends keyof T & ShareErrorCode>(
  table: T,
  code: C,
  fields: FieldsOf<T, C>,
  info: ShareErrorInfo = {},
): ShareError {
  const write = table[code] as unknown as (fields: FieldsOf<T, C>) => string
  return new ShareError(code, write(fields), info)
}

/** Whether a table has a message for the code of an error. */
export function hasMessage<T extends MessageTable>(table: T, code: string): code is keyof T & ShareErrorCode {
  return isShareErrorCode(code) && Object.hasOwn(table, code)
}
