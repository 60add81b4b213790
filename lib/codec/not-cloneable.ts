/** The error for what cannot be encoded, as structured clone has it. */

export function notCloneable(what: string): DOMException {
  return new DOMException(`${what} could not be encoded`, 'DataCloneError')
}
