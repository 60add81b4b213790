/** The error for a value that cannot be encoded: the same as that of structured clone. */

export function notCloneable(what: string): DOMException {
  return new DOMException(`${what} could not be encoded`, 'DataCloneError')
}
