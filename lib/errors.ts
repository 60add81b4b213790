/**
 * Every error about the state of the world, in one table: what a code means and what to do about it.
 *
 * Mistakes of the caller (a wrong type, a number out of range) are `TypeError` and `RangeError`: validate.ts.
 */

const MESSAGES = {
  EACCES: (name) => `No permission for ${name}: it was made with a mode that does not include this user`,
  EADDRINUSE: (name) => `${name} is taken: a server is listening there`,
  EADDRNOTAVAIL: (name) => `${name} is not an address of this machine`,
  EAGAIN: () =>
    'The system has no more threads or processes to give: end some, or raise the limit (ulimit -u; in a container, docker run --pids-limit)',
  ECONNREFUSED: (name) => `Nobody listens at ${name}`,
  EEXIST: (name) => `${name} exists already: attach to it, open it, or unlink it first`,
  EFBIG: (name) => `${name} is larger than the system, or this version of the runtime, allows`,
  EINVAL: (name) => `The system refuses the name or size of ${name}`,
  EIO: (name) => `Input/output error on ${name}`,
  EMFILE: () => 'This process has too many open files: close some objects, or raise the limit (ulimit -n)',
  ENAMETOOLONG: (name) => `The name of ${name} is too long`,
  ENFILE: () => 'The system has too many open files: close some objects, or raise its limit (sysctl fs.file-max)',
  ENODEV: (name) => `${name} cannot be mapped`,
  ENOENT: (name) => `There is no ${name}: nobody has created it, or its last user is gone`,
  ENOLCK: () => 'The system has no more file locks to give',
  ENOMEM: (name, detail) =>
    `Not enough memory or address space for ${name}${detail}: close some objects, or raise the limits (ulimit -v, sysctl vm.max_map_count)`,
  ENOSPC: (name, detail) =>
    `No room for ${name} in shared memory${detail}: see \`df /dev/shm\`; in a container, start it with a larger one (docker run --shm-size); on Windows the page file is full`,
  ENOSYS: (name) => `The system lacks what ${name} needs`,
  EPERM: (name) => `The system does not permit this for ${name}`,
  EROFS: (name) => `Shared memory is read-only here, so there can be no ${name}`,
  ERR_ABI: (name) => `${name} was made by a process with another C library or word size, whose locks look different`,
  ERR_AUTHENTICATION: (name, detail) => `${name} and its client do not have the same key: ${detail}`,
  ERR_BROKEN_BARRIER: (name) => `${name} is broken: one of those who waited gave up, died, or had it aborted or reset`,
  ERR_CLOSED: (name) => `${name} was closed`,
  ERR_CORRUPT: (name) => `${name} is truncated or overwritten: unlink it and create it anew`,
  ERR_DEADLOCK: (name, detail) =>
    detail === ''
      ? `${name} is held by the same thread or task that asks for it: this could never be granted, so it is refused`
      : `${name} could never answer: ${detail}`,
  ERR_DISCONNECTED: (name, detail) => `${name} cannot be reached: ${detail}`,
  ERR_ENDED: (name, detail) => `${name} has ended: ${detail}`,
  ERR_EXTERNAL_BUFFERS: () =>
    'This runtime does not allow buffers over memory from outside its heap (Electron since version 21 is one): shared memory cannot be mapped in it',
  ERR_FOREIGN: (name) => `${name} was not made by procshare: only SharedMemory.attach() takes such memory`,
  ERR_ITEM_LOST: (name, detail) =>
    `${name} has lost an item that was larger than its ring: the segment "${detail}" in which it travelled was removed or damaged. The queue goes on with the next item`,
  ERR_KIND: (name, detail) => `${name} is of another kind: ${detail}`,
  ERR_LAYOUT: (name, detail) =>
    detail === ''
      ? `${name} was created by a version of procshare whose segment layout this version does not read: end the processes that use it and, if it is persistent, remove it with unlinkSegment()`
      : `${name} has other members than the schema: ${detail}`,
  ERR_LIMIT: (name, detail) => `${name} is at its limit: ${detail}`,
  ERR_MANAGER_STATE: (name, detail) => `${name} ${detail}`,
  ERR_NAMESPACE: (name) =>
    `${name} belongs to another pid namespace (another container), where the death of a lock's owner could not be told: create it with pidNamespaces: 'any', or run both in one namespace (docker run --pid, shareProcessNamespace in Kubernetes)`,
  ERR_NATIVE: (_name, detail) => `The native part of procshare could not be loaded: ${detail}`,
  ERR_NOT_EXPOSED: (name, detail) => `${name} does not expose ${detail}`,
  ERR_NOT_OWNER: (name, detail) => `${name} is not held ${detail}`,
  ERR_NOT_READY: (name) => `The process that creates ${name} has not finished: try again, by whenAvailable()`,
  ERR_NO_KEY: (name) =>
    `No key is known for ${name}: connect to it first, by Manager.connect(), or set PROCSHARE_AUTHKEY`,
  ERR_NO_LOCK: (name) => `${name} was made with lock: false`,
  ERR_NO_OBJECT: (name) => `${name} is no object of the server any more: its last proxy is gone`,
  ERR_NO_SHARED_MEMORY: () =>
    'There is no shared memory here: /dev/shm is missing; mount a tmpfs there (mount -t tmpfs tmpfs /dev/shm)',
  ERR_NO_WORDS: (name) =>
    `${name} has no place for those who wait for a word: make it as a SharedMemory or a SharedArray of 'i'`,
  ERR_OVER_RELEASE: (name) => `${name} would be released more often than its limit allows`,
  ERR_ONE_WAY: (name, detail) => `${name} is an end of a pipe that is not duplex: ${detail}`,
  ERR_OTHER_COPY: (name, detail) =>
    `${name} must be an object of the same copy of procshare, but ${detail}: make your dependencies share one (npm dedupe), or attach to its handle with this copy`,
  ERR_OTHER_USER: (name) => `${name} belongs to another user: pass anyOwner: true if you trust them`,
  ERR_PROCESS_FAILED: (name, detail) => `${name} failed: ${detail}`,
  ERR_PROCESS_IMPORT: (name) =>
    `${name} cannot be started while the module of this child process is still being imported: wrap the start in \`if (isMainProcess)\``,
  ERR_PROCESS_STATE: (name, detail) => `${name} ${detail}`,
  ERR_PROTOCOL: (name, detail) => `${name} does not speak the manager protocol of this version: ${detail}`,
  ERR_STALE_HANDLE: (name, detail) =>
    `${name}, for which the handle was made, is gone: ${detail || 'most likely the object was closed or collected before the other side attached; keep it open until then'}`,
  ERR_SYSTEM: (name) => `The system reports an unexpected error for ${name}`,
  ERR_TASK_DONE: (name) => `${name}: taskDone() was called more often than there were items`,
  ERR_TIMEOUT: (name, detail) => `Waiting for ${name} took longer than ${detail}`,
  ERR_TLS: (name, detail) => `No secure connection to ${name}: ${detail}`,
  ERR_TOO_LARGE: (name, detail) =>
    `${name} can never hold ${detail}: make it with a larger byteLength, or with spill: true`,
  ERR_TOO_MANY_WAITERS: (name) => `${name} is in use by as many processes and workers as it has room for`,
  ERR_TYPE: (name, detail) => `${name} has another type: ${detail}`,
} satisfies Record<string, (name: string, detail: string) => string>

/** The codes of {@link ShareError}. */
export type ShareErrorCode = keyof typeof MESSAGES

/** Whether `code` is one of {@link ShareErrorCode}. @internal */
export function isShareErrorCode(code: string): code is ShareErrorCode {
  return Object.hasOwn(MESSAGES, code)
}

/** What an error is about; every part is optional. */
export interface ShareErrorInfo {
  /** The name of the segment. */
  readonly segment?: string | undefined
  /** What to call the subject in the message, when it is not "segment NAME". */
  readonly subject?: string | undefined
  readonly detail?: string | undefined
  /** Takes the place of the message of the code. */
  readonly message?: string | undefined
  readonly syscall?: string | undefined
  readonly errno?: number | undefined
  readonly cause?: unknown
  /** How many bytes of shared memory were asked for. */
  readonly wantedBytes?: number | undefined
  /** How many bytes of shared memory were free. */
  readonly freeBytes?: number | undefined
}

/**
 * An error about the state of the world: a segment that is missing, a lock that was not free in time.
 *
 * @remarks `code` says which; it is stable, the message is for people. Errors of the operating system keep its names
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
  /** Which error it is. */
  readonly code: ShareErrorCode
  /** The name of the segment that it is about, if it is about one. */
  declare readonly segment: string | undefined
  /** The system call that failed, for an error of the operating system. */
  declare readonly syscall: string | undefined
  /** The system's error number, for an error of the operating system. */
  declare readonly errno: number | undefined
  /** How many bytes were asked for, when there was no room: `ENOSPC`, `ENOMEM`. */
  declare readonly wantedBytes: number | undefined
  /** How many bytes of shared memory were free then, where the system says that. */
  declare readonly freeBytes: number | undefined

  /** @internal */
  constructor(code: ShareErrorCode, info: ShareErrorInfo = {}) {
    const subject = info.subject ?? (info.segment === undefined ? 'the object' : `segment "${info.segment}"`)
    const message = info.message ?? MESSAGES[code](subject, info.detail ?? numbers(info))
    super(
      message.charAt(0).toUpperCase() + message.slice(1),
      info.cause === undefined ? undefined : { cause: info.cause },
    )
    this.code = code
    // Only what there is, so that a printed error shows no empty fields.
    if (info.segment !== undefined) this.segment = info.segment
    if (info.syscall !== undefined) this.syscall = info.syscall
    if (info.errno !== undefined) this.errno = info.errno
    if (info.wantedBytes !== undefined) this.wantedBytes = info.wantedBytes
    if (info.freeBytes !== undefined) this.freeBytes = info.freeBytes
  }
}

function numbers({ wantedBytes, freeBytes }: ShareErrorInfo): string {
  if (wantedBytes === undefined) return ''
  return freeBytes === undefined ? `, of ${wantedBytes} bytes` : ` (${wantedBytes} bytes wanted, ${freeBytes} free)`
}

/** A {@link ShareError} that was thrown in another process. @internal */
export function reviveShareError(code: ShareErrorCode, message: string, options: ErrorOptions): ShareError {
  const error = Object.assign(new ShareError(code), options)
  return Object.defineProperty(error, 'message', { value: message, configurable: true, writable: true })
}

/** Whether `error` is a {@link ShareError} with this code. @internal */
export function hasCode(error: unknown, code: ShareErrorCode): error is ShareError {
  return error instanceof ShareError && error.code === code
}

/** Gives an error that native code threw its words. @internal */
export function fromNative(
  error: unknown,
  segment: string | undefined,
  subject?: string,
  numbers: Pick<ShareErrorInfo, 'wantedBytes' | 'freeBytes'> = {},
): unknown {
  if (error instanceof ShareError) return error
  const { code, errno, syscall } = error as { code?: string; errno?: number; syscall?: string }
  if (code === undefined || !(code in MESSAGES)) return error
  return new ShareError(code as ShareErrorCode, { segment, subject, errno, syscall, ...numbers })
}
