/** Errors of sockets and of TLS, in the words of this library. */
import { isShareErrorCode, ShareError } from '../errors.ts'

/** What a failed connection, or one that could not be listened for, is to the user. */
export function systemError(error: Error, subject: string): ShareError {
  if (error instanceof ShareError) return error
  const { code = '', errno, syscall } = error as NodeJS.ErrnoException
  if (isShareErrorCode(code)) return new ShareError(code, { subject, errno, syscall, cause: error })
  // The names of errors in certificates have no common prefix; those of the system have numbers (in Bun all have, but that is 0).
  const isTls = code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code === 'EPROTO' || !errno
  if (isTls && code !== 'ECONNRESET') {
    return new ShareError('ERR_TLS', { subject, detail: error.message, cause: error })
  }
  return new ShareError('ERR_DISCONNECTED', { subject, detail: error.message, errno, syscall, cause: error })
}
