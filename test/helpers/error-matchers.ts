/** Matchers for errors of the library: `expect(() => …).toThrow(rangeError(/^value must be/))`. */
import type { ShareErrorCode } from 'procshare'
import { expect } from 'vitest'

function error(name: string, code: string, message: RegExp): Error {
  return expect.objectContaining({ name, code, message: expect.stringMatching(message) })
}

/** A value of the wrong type. */
export function typeError(message = /./): Error {
  return error('TypeError', 'ERR_INVALID_ARG_TYPE', message)
}

/** A value of the right type that is not allowed. */
export function valueError(message = /./): Error {
  return error('TypeError', 'ERR_INVALID_ARG_VALUE', message)
}

/** A number that is out of range. */
export function rangeError(message = /./): Error {
  return error('RangeError', 'ERR_OUT_OF_RANGE', message)
}

/** An error about the state of the world. */
export function shareError(code: ShareErrorCode, message = /./): Error {
  return error('ShareError', code, message)
}
