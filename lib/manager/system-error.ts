/** Errors of sockets and of TLS, in the words of this library. */
import { isShareErrorCode, ShareError, type ShareErrorCode } from '../errors.ts'

/** Codes of file systems that have no message of their own, and those that stand for them. */
const SAME: Readonly<Record<string, ShareErrorCode>> = { ENOTDIR: 'ENOENT', ELOOP: 'ENOENT', EDQUOT: 'ENOSPC' }
/** Codes whose messages are about shared memory. */
const OF_MEMORY: readonly string[] = ['ENOSPC', 'EROFS']

/** What a failed connection, or one that could not be listened for, is to the user. */
export function systemError(error: Error, subject: string): ShareError {
  if (error instanceof ShareError) return error
  const { errno, syscall } = error as NodeJS.ErrnoException
  const code = codeOf(error)
  if (isShareErrorCode(code)) {
    const message = OF_MEMORY.includes(code) ? `${subject} cannot be made: ${error.message}` : undefined
    return new ShareError(code, { subject, message, errno, syscall, cause: error })
  }
  // The names of errors in certificates have no common prefix; those of the system have numbers (in Bun all have, but that is 0).
  const isTls = code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code === 'EPROTO' || !errno
  if (isTls && code !== 'ECONNRESET') {
    return new ShareError('ERR_TLS', { subject, detail: error.message, cause: error })
  }
  return new ShareError('ERR_DISCONNECTED', { subject, detail: error.message, errno, syscall, cause: error })
}

/** What it is to the user that there can be no directory for the socket of a server. */
export function directoryError(error: Error, parent: string): ShareError {
  const { errno, syscall } = error as NodeJS.ErrnoException
  const code = codeOf(error)
  return new ShareError(isShareErrorCode(code) ? code : 'ERR_SYSTEM', {
    message: `There can be no directory for the manager's socket in ${parent} (${error.message}): set TMPDIR to a directory that can be written to, or give an address`,
    errno,
    syscall,
    cause: error,
  })
}

function codeOf(error: Error): string {
  const { code = '' } = error as NodeJS.ErrnoException
  return SAME[code] ?? code
}
