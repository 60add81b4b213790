/**
 * ShareError and its codes: every error about the state of the world.
 *
 * Mistakes of the caller (a wrong type, a number out of range) are `TypeError` and `RangeError`: validate.ts. The messages are in
 * this folder, in one table for each domain: segment-messages.ts, process-messages.ts, manager-messages.ts.
 */
import { defineProperty } from '../define-property.ts'

/** The codes of {@link ShareError}. Those without `ERR_` are the operating system's. @internal */
export const SHARE_ERROR_CODES = [
  'EACCES',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EAGAIN',
  'ECONNREFUSED',
  'EEXIST',
  'EFBIG',
  'EINVAL',
  'EIO',
  'EMFILE',
  'ENAMETOOLONG',
  'ENFILE',
  'ENODEV',
  'ENOENT',
  'ENOLCK',
  'ENOMEM',
  'ENOSPC',
  'ENOSYS',
  'EPERM',
  'EROFS',
  'ERR_ABI',
  'ERR_AUTHENTICATION',
  'ERR_BROKEN_BARRIER',
  'ERR_CLOSED',
  'ERR_CORRUPT',
  'ERR_DEADLOCK',
  'ERR_DISCONNECTED',
  'ERR_ENDED',
  'ERR_EXTERNAL_BUFFERS',
  'ERR_FOREIGN',
  'ERR_ITEM_LOST',
  'ERR_KIND',
  'ERR_LAYOUT',
  'ERR_LIMIT',
  'ERR_MANAGER_STATE',
  'ERR_NAMESPACE',
  'ERR_NATIVE',
  'ERR_NOT_EXPOSED',
  'ERR_NOT_OWNER',
  'ERR_NOT_READY',
  'ERR_NO_KEY',
  'ERR_NO_LOCK',
  'ERR_NO_OBJECT',
  'ERR_NO_SHARED_MEMORY',
  'ERR_NO_WORDS',
  'ERR_ONE_WAY',
  'ERR_OTHER_COPY',
  'ERR_OTHER_USER',
  'ERR_OVER_RELEASE',
  'ERR_PROCESS_FAILED',
  'ERR_PROCESS_IMPORT',
  'ERR_PROCESS_STATE',
  'ERR_PROTOCOL',
  'ERR_STALE_HANDLE',
  'ERR_SYSTEM',
  'ERR_TASK_DONE',
  'ERR_TIMEOUT',
  'ERR_TLS',
  'ERR_TOO_LARGE',
  'ERR_TOO_MANY_WAITERS',
  'ERR_TYPE',
] as const

/** The codes of {@link ShareError}. */
export type ShareErrorCode = (typeof SHARE_ERROR_CODES)[number]

const CODES: ReadonlySet<string> = new Set(SHARE_ERROR_CODES)

/** Whether `code` is one of {@link ShareErrorCode}. @internal */
export function isShareErrorCode(code: string): code is ShareErrorCode {
  return CODES.has(code)
}

/** The optional fields of an error besides its code and message. */
export interface ShareErrorInfo {
  /** The name of the segment. */
  readonly segment?: string | undefined
  readonly syscall?: string | undefined
  readonly errno?: number | undefined
  readonly cause?: unknown
  /** The number of requested bytes of shared memory. */
  readonly wantedBytes?: number | undefined
  /** The number of free bytes of shared memory. */
  readonly freeBytes?: number | undefined
}

/**
 * An error about the state of the world: a segment that does not exist, a lock that was not available in time.
 *
 * @remarks `code` identifies the error and is stable; the message may change. Errors of the operating system keep their names
 * (`ENOENT`, `ENOSPC`) and carry `errno` and `syscall`.
 * @example
 * ```ts
 * import { ShareError, Value } from 'procshare'
 * try {
 *   Value.attach('no-such-counter')
 * } catch (error) {
 *   console.assert(error instanceof ShareError && error.code === 'ENOENT')
 * }
 * ```
 */
export class ShareError extends Error {
  override readonly name = 'ShareError'
  /** Identifies the error. */
  readonly code: ShareErrorCode
  /** The name of the segment that the error is about, if it is about one. */
  declare readonly segment: string | undefined
  /** The system call that failed, for an error of the operating system. */
  declare readonly syscall: string | undefined
  /** The system's error number, for an error of the operating system. */
  declare readonly errno: number | undefined
  /** The number of requested bytes, when there was no room: `ENOSPC`, `ENOMEM`. */
  declare readonly wantedBytes: number | undefined
  /** The number of free bytes of shared memory at that moment, where the system reports it. */
  declare readonly freeBytes: number | undefined

  /** @internal */
  constructor(code: ShareErrorCode, message: string, info: ShareErrorInfo = {}) {
    super(
      message.charAt(0).toUpperCase() + message.slice(1),
      info.cause === undefined ? undefined : { cause: info.cause },
    )
    this.code = code
    // Only defined fields, so that a printed error shows no empty ones.
    if (info.segment !== undefined) this.segment = info.segment
    if (info.syscall !== undefined) this.syscall = info.syscall
    if (info.errno !== undefined) this.errno = info.errno
    if (info.wantedBytes !== undefined) this.wantedBytes = info.wantedBytes
    if (info.freeBytes !== undefined) this.freeBytes = info.freeBytes
  }
}

/** A {@link ShareError} that was thrown in another process. @internal */
export function reviveShareError(code: ShareErrorCode, message: string, options: ErrorOptions): ShareError {
  const error = Object.assign(new ShareError(code, ''), options)
  return defineProperty(error, 'message', { value: message, configurable: true, writable: true })
}

/** Whether `error` is a {@link ShareError} with this code. @internal */
export function hasCode(error: unknown, code: ShareErrorCode): error is ShareError {
  return error instanceof ShareError && error.code === code
}
