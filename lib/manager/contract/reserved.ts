/** The names that every proxy has: no method of a registered type can have one of them. */
export const RESERVED: ReadonlySet<string> = new Set([
  'typeName',
  'name',
  'handle',
  'toJSON',
  'equals',
  'show',
  'close',
  'ref',
  'unref',
  'with',
])
