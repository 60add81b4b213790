/**
 * Messages about managers: the connection to a server, the objects in it, and the limits of the server.
 *
 * As in segment-messages.ts, each code names the fields that its message needs.
 */
import { errorOf, type FieldsOf, hasMessage, type MessageTable } from './error-table.ts'
import { timeoutText } from './segment-messages.ts'
import { ShareError, type ShareErrorCode, type ShareErrorInfo } from './share-error.ts'

/** A server, by its address. */
interface At {
  readonly address: string
}

/** A managed object, by the name of its type. */
interface Managed {
  readonly type: string
}

/** The step that failed at an address: listening there, connecting to it, or making the directory of a socket there. */
export interface SocketFields extends At {
  readonly does: 'listen' | 'connect' | 'make a directory'
}

/** The subject of a message: a server or a managed object. */
export type ManagerSubject = At | Managed

function nameOf(subject: ManagerSubject): string {
  return 'address' in subject ? `the manager at ${subject.address}` : `the managed ${subject.type}`
}

function taskOf({ address, does }: SocketFields): string {
  if (does === 'listen') return `listen at ${address}`
  return does === 'connect' ? `connect to the manager at ${address}` : `create a directory for the socket in ${address}`
}

function missingDirectory({ does }: SocketFields): string {
  return does === 'listen'
    ? 'its directory does not exist. Create it first'
    : `it is not an existing directory${TMPDIR}`
}

function socketText(fields: SocketFields, error: string): string {
  if (fields.does === 'connect') return `the connection to the manager at ${fields.address} failed: ${error}`
  return `cannot ${taskOf(fields)}: ${error}${fields.does === 'listen' ? '' : TMPDIR}`
}

/** The advice when there can be no directory for the socket. */
const TMPDIR = '. Set TMPDIR to another directory, or pass an address'

/** The reason why a connection ended. */
export type DisconnectedFields =
  | (At & { readonly why: 'server ended' | 'server closed the connection early' | 'reconnecting' })
  | (SocketFields & { readonly why: 'socket failed'; readonly error: string })
  | { readonly why: 'shut down' | 'server process ended' | 'client stalled' | 'client did not authenticate' }

/** A limit that was exceeded. */
export type LimitFields =
  | (Managed & { readonly limit: 'items'; readonly count: number; readonly max: number })
  | (Managed & { readonly limit: 'items at once'; readonly count: number; readonly max: number })
  | (Managed & { readonly limit: 'bytes'; readonly count: number; readonly max: number })
  | (At & { readonly limit: 'call bytes'; readonly count: number; readonly max: number })
  | (At & { readonly limit: 'clients' })
  | { readonly limit: 'reply bytes'; readonly count: number; readonly isAtLeast: boolean; readonly max: number }
  | { readonly limit: 'compared values' | 'call time' | 'proxies' | 'pending calls'; readonly max: number }

/** A violation of the protocol by the other side. */
export type ProtocolFields =
  | (At & { readonly why: 'no manager' | 'bad greeting' | 'bad proof' })
  | (At & { readonly why: 'version'; readonly version: number; readonly ownVersion: number })
  | { readonly why: 'wrong opening' }
  | { readonly why: 'message too short' | 'request without method' | 'unref too short' | 'ring item' | 'value' }
  | { readonly why: 'kind' | 'format' | 'duplicate request'; readonly value: number | undefined }
  | { readonly why: 'frame'; readonly byteLength: number; readonly max: number }
  | { readonly why: 'no rings' | 'switch in rings' | 'arguments' | 'reference' | 'iteration' }

function protocolText(fields: ProtocolFields): string {
  switch (fields.why) {
    case 'no manager':
      return `something other than a procshare manager answers at ${fields.address}: check the address, and whether the server uses TLS`
    case 'bad greeting':
      return `the manager at ${fields.address} sent a malformed greeting: check that a procshare manager listens there`
    case 'bad proof':
      return `the manager at ${fields.address} sent a malformed proof of its key: check that a procshare manager listens there`
    case 'version':
      return `the manager at ${fields.address} speaks version ${fields.version} of the protocol, and this client speaks version ${fields.ownVersion}: use the same version of procshare on both sides`
    case 'wrong opening':
      return 'the client does not speak this version of the manager protocol'
    case 'message too short':
      return malformed('a message that is too short')
    case 'request without method':
      return malformed('a request that names no method')
    case 'unref too short':
      return malformed('a message of kind UNREF that is too short')
    case 'ring item':
      return malformed('an item that is not bytes, through shared memory')
    case 'value':
      return malformed('a value that cannot be decoded')
    case 'kind':
      return malformed(`a message of the unknown kind ${fields.value}`)
    case 'format':
      return malformed(`a value in the unknown format ${fields.value}`)
    case 'duplicate request':
      return malformed(`a second request with the id ${fields.value}`)
    case 'frame':
      return malformed(`a message of ${fields.byteLength} bytes, but at most ${fields.max} are allowed`)
    case 'no rings':
      return malformed('a request to continue through shared memory, which was not offered')
    case 'switch in rings':
      return malformed('a second request to continue through shared memory')
    case 'arguments':
      return malformed('arguments that are not an array')
    case 'reference':
      return malformed('a reference to no object')
    case 'iteration':
      return malformed('a request for an unknown kind of iteration')
  }
}

function malformed(what: string): string {
  return `the other side of a manager connection broke the protocol: it sent ${what}`
}

function limitText(fields: LimitFields): string {
  switch (fields.limit) {
    case 'items':
      return `the managed ${fields.type} would have ${fields.count} items, but at most ${fields.max} are allowed: spread them over several objects`
    case 'items at once':
      return `${fields.count} items at once are too many for the managed ${fields.type}, whose maxSize is ${fields.max}: put fewer at a time`
    case 'bytes':
      return `the managed ${fields.type} would have ${fields.count} bytes, but at most ${fields.max} are allowed: use a SharedArray`
    case 'call bytes':
      return `the call has ${fields.count} bytes, but the manager at ${fields.address} allows at most ${fields.max}: send less at a time, or start it with a larger limits.frameBytes`
    case 'clients':
      return `the manager at ${fields.address} has as many clients as it allows: close some of them, or start it with a larger limits.clients`
    case 'reply bytes': {
      const size = fields.isAtLeast ? `at least ${fields.count}` : `${fields.count}`
      return `the reply would have ${size} bytes, but the server allows at most ${fields.max}: ask for less at a time, or start it with a larger limits.frameBytes`
    }
    case 'compared values':
      return `the value is too large to be compared: it contains ${fields.max} values or more. Compare smaller ones`
    case 'call time':
      return `the server ended the call after ${fields.max} ms, which is its limit: ask for less at a time`
    case 'proxies':
      return `this client has proxies of ${fields.max} objects, which is the server's limit: close some of them, or start the server with a larger limits.objects`
    case 'pending calls':
      return `this client has ${fields.max} pending calls, which is the server's limit: await some of them first, or start the server with a larger limits.pendingCalls`
  }
}

const MANAGER_MESSAGES = {
  // Errors of sockets, and of the directory of a server's socket.
  EACCES: (fields: SocketFields) => {
    const text = `this user has no permission to ${taskOf(fields)}`
    if (fields.does === 'connect') return `${text}: connect as the user that started it`
    if (fields.does === 'make a directory') return `${text}${TMPDIR}`
    return `${text}: choose a path in a directory that this user can write to, or a port above 1023`
  },
  EADDRINUSE: ({ address }: SocketFields) =>
    `the address ${address} is already in use by a server: choose another one, or connect to that server`,
  EADDRNOTAVAIL: ({ address }: SocketFields) =>
    `the address ${address} is not one of this machine: listen at one that it has`,
  EAGAIN: (fields: SocketFields | (At & { readonly does: 'block' })) =>
    fields.does === 'block'
      ? `the system cannot start the thread that a blocking connection to the manager at ${fields.address} needs: end some threads or processes, or raise the limit (ulimit -u; in a container, docker run --pids-limit)`
      : `the system cannot ${taskOf(fields)} at the moment: try again later`,
  ECONNREFUSED: ({ address }: SocketFields) => `no server listens at ${address}: start it first, or check the address`,
  EINVAL: (fields: SocketFields) => `the system cannot ${taskOf(fields)}: the address or path is not valid`,
  EIO: (fields: SocketFields) => `the system cannot ${taskOf(fields)}: it reports an input/output error`,
  EMFILE: (fields: SocketFields) =>
    `this process has too many open files to ${taskOf(fields)}: close some objects, or raise the limit (ulimit -n)`,
  ENAMETOOLONG: (fields: SocketFields | (At & { readonly byteLength: number; readonly max: number })) =>
    'does' in fields
      ? `cannot ${taskOf(fields)}: the path is too long. Choose a shorter one`
      : `a socket path has at most ${fields.max} bytes, and ${fields.address} has ${fields.byteLength}: choose a shorter one`,
  ENFILE: (fields: SocketFields) =>
    `the system has too many open files to ${taskOf(fields)}: close some objects, or raise its limit (sysctl fs.file-max)`,
  ENOENT: (fields: SocketFields) =>
    fields.does !== 'connect'
      ? `cannot ${taskOf(fields)}: ${missingDirectory(fields)}`
      : `no server listens at ${fields.address}: the socket does not exist. Start the server first, or check the path`,
  ENOMEM: (fields: SocketFields) => `there is not enough memory to ${taskOf(fields)}: close some objects`,
  ENOSPC: (fields: SocketFields) =>
    `cannot ${taskOf(fields)}: the file system is full${fields.does === 'make a directory' ? TMPDIR : '. Remove some files'}`,
  EPERM: (fields: SocketFields) => `the system does not permit this user to ${taskOf(fields)}`,
  EROFS: (fields: SocketFields) =>
    `cannot ${taskOf(fields)}: the file system is read-only${fields.does === 'make a directory' ? TMPDIR : '. Choose another path'}`,

  ERR_AUTHENTICATION: (
    fields: (At & { readonly why: 'server rejected the key' | 'wrong proof' }) | { readonly why: 'client' },
  ) => {
    if (fields.why === 'client') return 'the client does not know the key of this manager'
    return fields.why === 'wrong proof'
      ? `the manager at ${fields.address} does not know this client's key: use the authkey of that manager`
      : `the manager at ${fields.address} rejected this client's key: use the authkey of that manager`
  },
  ERR_BROKEN_BARRIER: ({ type }: Managed) =>
    `the managed ${type} is broken: a party timed out, cancelled its wait or disconnected, or the barrier was aborted or reset. Call reset() to use it again`,
  ERR_CLOSED: (fields: At | (Managed & { readonly id?: number | undefined })) => {
    if ('address' in fields) return `the connection to the manager at ${fields.address} was closed`
    return `this proxy of the managed ${fields.type}${fields.id === undefined ? '' : ` #${fields.id}`} was closed`
  },
  ERR_DEADLOCK: (
    fields: (Managed & { readonly why: 'held' }) | (At & { readonly why: 'busy' | 'served by this thread' }),
  ) => {
    if (fields.why === 'held') {
      return `the managed ${fields.type} is already held by this task, so this wait would never end: release it first, or use a managed RLock`
    }
    return fields.why === 'busy'
      ? `the manager at ${fields.address} cannot be called while another blocking call of this thread is in progress: make the call after that one has returned`
      : `the manager at ${fields.address} cannot be called in the blocking form: its server runs in this thread, which the call would block. Use the asynchronous form`
  },
  ERR_DISCONNECTED: (fields: DisconnectedFields) => {
    switch (fields.why) {
      case 'server ended':
        return `the connection to the manager at ${fields.address} is lost: its server has ended`
      case 'server closed the connection early':
        return `the manager at ${fields.address} closed the connection before it answered: if it uses TLS, connect with the option tls`
      case 'reconnecting':
        return `the connection to the manager at ${fields.address} is lost and is being established again: repeat the call later`
      case 'socket failed':
        return socketText(fields, fields.error)
      case 'shut down':
        return 'the connection to the manager is lost: its server was shut down'
      case 'server process ended':
        return 'the server process of this manager has ended: start a new manager'
      case 'client stalled':
        return 'the server ended the connection: the client stopped in the middle of a message, or does not read its replies'
      case 'client did not authenticate':
        return 'the server ended the connection: the client did not prove in time that it knows the key'
    }
  },
  ERR_ENDED: (fields: (Managed & { readonly why: 'no more puts' | 'drained' }) | (At & { readonly why: 'relay' })) => {
    if (fields.why === 'relay')
      return `the connection to the manager at ${fields.address} is lost: its relay thread has ended`
    return fields.why === 'no more puts'
      ? `the managed ${fields.type} has ended: no more items can be put into it`
      : `the managed ${fields.type} has ended and is empty: there are no more items to get`
  },
  ERR_KIND: ({ name, found, expected }: { readonly name: string; readonly found: string; readonly expected: string }) =>
    `the managed object "${name}" has the type ${found}, not ${expected}: use the type ${found}, or choose another name`,
  ERR_LIMIT: limitText,
  ERR_MANAGER_STATE: ({ does }: { readonly does: 'register' | 'shutdown' }) =>
    does === 'register'
      ? 'this manager did not start its server, so it cannot register types there: pass them to Manager.serve()'
      : 'this manager did not start its server, so it cannot shut it down: call shutdown() where Manager.start() was called',
  ERR_NOT_EXPOSED: (
    fields: (Managed & { readonly method: string; readonly isMissing?: boolean }) | { readonly isServer: true },
  ) => {
    if ('isServer' in fields) return 'a manager cannot create a server: use Manager.start() or Manager.serve()'
    return fields.isMissing
      ? `the object of the managed type ${fields.type} has no method "${fields.method}", although the type exposes it: check the option exposed`
      : `the managed type ${fields.type} does not expose a method "${fields.method}": call one that it exposes`
  },
  ERR_NOT_OWNER: (
    fields:
      | (Managed & { readonly why: 'guard is released' })
      | (Managed & { readonly why: 'free' | 'not the caller' | 'lock of the condition' }),
  ) => {
    switch (fields.why) {
      case 'guard is released':
        return `this guard does not hold the managed ${fields.type} any more: it was released before, or the lock's proxy was closed`
      case 'free':
        return `the managed ${fields.type} cannot be released: nothing holds it`
      case 'not the caller':
        return `the managed ${fields.type} cannot be released: the caller does not hold it`
      case 'lock of the condition':
        return `the lock of the managed ${fields.type} is not held by the caller: acquire it before wait(), waitFor() or notify(), or pass its guard`
    }
  },
  ERR_NO_KEY: ({ address }: At) =>
    `no key is known for the manager at ${address}: pass authkey to Manager.connect(), or set PROCSHARE_AUTHKEY`,
  ERR_NO_OBJECT: (fields: { readonly id: number } | { readonly name: string; readonly type: string }) =>
    'id' in fields
      ? `object #${fields.id} no longer exists in the server: its last proxy was closed`
      : `the server has no ${fields.type} named "${fields.name}": create it first, or check the name`,
  ERR_OVER_RELEASE: ({ type, units, max }: Managed & { readonly units: number; readonly max: number }) =>
    `releasing ${units === 1 ? '1 unit' : `${units} units`} of the managed ${type} would exceed its limit of ${max}: release only what was acquired`,
  ERR_PROTOCOL: protocolText,
  ERR_STALE_HANDLE: ({ address }: At) =>
    `the handle belongs to an earlier server at ${address}, which has ended: get a new handle from the server that listens there now`,
  ERR_SYSTEM: (fields: SocketFields & { readonly error: string }) => socketText(fields, fields.error),
  ERR_TASK_DONE: ({ type, count }: Managed & { readonly count: number }) =>
    `the managed ${type} has fewer unfinished items than taskDone(${count}) reports: call taskDone() once for each item`,
  ERR_TIMEOUT: (fields: ManagerSubject & { readonly timeoutMs: number }) =>
    timeoutText(nameOf(fields), fields.timeoutMs),
  ERR_TLS: (fields: At & ({ readonly why: 'refused' } | { readonly why: 'failed'; readonly error: string })) =>
    fields.why === 'refused'
      ? `the manager at ${fields.address} closed the TLS connection before it answered: check the certificate that this client presents`
      : `TLS failed at ${fields.address}: ${fields.error}`,
} satisfies MessageTable

export type ManagerErrorCode = keyof typeof MANAGER_MESSAGES
/** The fields that the message of a code needs. */
export type ManagerErrorFields<C extends ManagerErrorCode> = FieldsOf<typeof MANAGER_MESSAGES, C>

/** An error about a manager. */
export function managerError<C extends ManagerErrorCode>(
  code: C,
  fields: ManagerErrorFields<C>,
  info?: ShareErrorInfo,
): ShareError {
  return errorOf(MANAGER_MESSAGES, code, fields, info)
}

/** Codes of file systems that have no message, and the codes whose messages they get. */
const SAME: Readonly<Record<string, ShareErrorCode>> = { ENOTDIR: 'ENOENT', ELOOP: 'ENOENT', EDQUOT: 'ENOSPC' }

function codeOf(error: Error): string {
  const { code = '' } = error as NodeJS.ErrnoException
  return SAME[code] ?? code
}

/** The error for one that a socket or TLS has reported. */
export function socketError(error: Error, address: string, does: SocketFields['does']): ShareError {
  if (error instanceof ShareError) return error
  const { errno, syscall } = error as NodeJS.ErrnoException
  const code = codeOf(error)
  const info = { errno, syscall, cause: error }
  if (hasMessage(MANAGER_MESSAGES, code) && !code.startsWith('ERR_')) {
    return managerError(code as 'EROFS', { address, does }, info)
  }
  if (does === 'make a directory') return managerError('ERR_SYSTEM', { address, does, error: error.message }, info)
  // The names of errors in certificates have no common prefix. Errors of the system have a number; in Bun the others have the
  // number 0.
  const isTls = code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code === 'EPROTO' || !errno
  if (isTls && code !== 'ECONNRESET') {
    return managerError('ERR_TLS', { address, why: 'failed', error: error.message }, { cause: error })
  }
  return managerError('ERR_DISCONNECTED', { address, does, why: 'socket failed', error: error.message }, info)
}

/** The error of a request whose connection has ended, with the error of the connection as its cause. */
export function disconnectedError(reason: ShareError): ShareError {
  return new ShareError('ERR_DISCONNECTED', reason.message, { cause: reason })
}
