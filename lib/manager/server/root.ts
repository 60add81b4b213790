/** The server itself as an object: making objects, names, transactions, and statistics. */
import { managerError } from '../../errors/manager-messages.ts'
import { type Handle, isHandle } from '../../memory/handle.ts'
import { assertString, typeError, valueError } from '../../validate.ts'
import type { ManagedObjectInfo, ManagerStats, RootOperations } from '../contract/root.ts'
import { Stopwatch } from './limits.ts'
import type { ManagedType, Methods } from './managed-type.ts'
import { Referent, type ReferentTable } from './referent.ts'
import type { Client, Request } from './request.ts'
import type { Statistics } from './statistics.ts'
import { type MethodOf, runTransaction } from './transaction.ts'

const MAX_NAME_LENGTH = 255

/** The state of a server. */
export interface ServerState {
  readonly types: ReadonlyMap<string, ManagedType>
  readonly referents: ReferentTable
  readonly statistics: Statistics
  /** The number of clients. */
  readonly clients: number
}

/** The part of a client that the server itself uses. */
export interface RootClient extends Client {
  ref(referent: Referent): void
  methodOf: MethodOf
  takeRings(handle: Handle): boolean
}

/** The operations of the server, and an operation of one transport. */
interface AllOperations extends RootOperations {
  takeRings(handle: Handle): boolean
}

/** Named objects that an asynchronous function is making. Other requests for the name get the same object. */
const underway = new WeakMap<ServerState, Map<string, Promise<Referent>>>()

function create(
  server: ServerState,
  request: Request,
  typeName: unknown,
  args: unknown,
  name: unknown,
): Referent | Promise<Referent> {
  assertString('type', typeName)
  if (!Array.isArray(args)) throw typeError('args', 'an array', args)
  const type = server.types.get(typeName)
  if (type === undefined) throw valueError('type', `one of ${creatableTypes(server)}`, typeName)
  if (name === undefined) return make(server, request, type, args)
  assertName(name)
  const existing = server.referents.named(name)
  if (existing !== undefined) return checkKind(existing, type)
  const pending = underway.get(server)?.get(name)
  if (pending !== undefined) return pending.then((referent) => checkKind(referent, type))
  const made = make(server, request, type, args)
  if (made instanceof Referent) {
    server.referents.bind(name, made)
    return made
  }
  let names = underway.get(server)
  if (names === undefined) {
    names = new Map()
    underway.set(server, names)
  }
  const bound = made
    .then((referent) => {
      server.referents.bind(name, referent)
      return referent
    })
    .finally(() => names.delete(name))
  names.set(name, bound)
  return bound
}

/** The types that a client can create. */
function creatableTypes({ types }: ServerState): string {
  return [...types.values()]
    .filter(({ isInternal }) => !isInternal)
    .map(({ name }) => name)
    .join(', ')
}

function make(server: ServerState, request: Request, type: ManagedType, args: unknown[]): Referent | Promise<Referent> {
  const object = type.create(args, request)
  if (object instanceof Promise) return object.then((made: object) => server.referents.make(type, made))
  return server.referents.make(type, object)
}

function checkKind(referent: Referent, type: ManagedType): Referent {
  if (referent.type === type) return referent
  throw managerError('ERR_KIND', { name: referent.name!, found: referent.type.name, expected: type.name })
}

function assertName(name: unknown): asserts name is string {
  assertString('options.name', name)
  if (name === '' || name.length > MAX_NAME_LENGTH) {
    throw valueError('options.name', `a string of 1 to ${MAX_NAME_LENGTH} characters`, name)
  }
}

/** Returns the number of the object of that name. The client gets one more reference to it. */
function find(server: ServerState, request: Request, name: unknown, typeName: unknown): number {
  assertName(name)
  const referent = server.referents.named(name)
  if (referent === undefined || referent.type.name !== typeName) {
    throw managerError('ERR_NO_OBJECT', { name, type: String(typeName) })
  }
  clientOf(request).ref(referent)
  return referent.id
}

function stats(server: ServerState): ManagerStats {
  const { calls, failures, accepted, refused, cutOff, latency } = server.statistics
  return {
    objects: server.referents.size,
    names: server.referents.names().length,
    clients: server.clients,
    calls,
    failures,
    accepted,
    refused,
    cutOff,
    latencyUs: latency,
    memoryBytes: process.memoryUsage.rss(),
    uptimeMs: process.uptime() * 1000,
    pid: process.pid,
  }
}

function debugInfo(server: ServerState): ManagedObjectInfo[] {
  const objects: ManagedObjectInfo[] = []
  const watch = new Stopwatch()
  for (const { id, type, name, references, object } of server.referents.values()) {
    watch.look()
    let text: string
    try {
      text = type.show(object)
    } catch (error) {
      text = `(cannot be shown: ${error})`
    }
    objects.push({ id, type: type.name, name, clients: references.size, text: text.slice(0, 200).toWellFormed() })
  }
  return objects
}

function clientOf({ client }: Request): RootClient {
  return client as RootClient
}

const methods: Methods<AllOperations, ServerState> = {
  create,
  stats,
  debugInfo,
  find,
  takeRings: (_server, request, handle) => isHandle(handle) && clientOf(request).takeRings(handle),
  names: (server) => server.referents.names(),
  unlink: (server, _request, name) => {
    assertString('name', name)
    return server.referents.unbind(name)
  },
  transaction: (_server, request, operations) => {
    const client = clientOf(request)
    return runTransaction(request, (referent, name) => client.methodOf(referent, name), operations)
  },
  show: (_server, _request, referent) => {
    if (!(referent instanceof Referent)) throw typeError('object', 'a managed object', referent)
    return referent.type.show(referent.object)
  },
}

export const rootType: ManagedType = {
  name: 'server',
  create: () => {
    throw managerError('ERR_NOT_EXPOSED', { isServer: true })
  },
  methods: Object.freeze(Object.assign(Object.create(null), methods)),
  show: () => 'server',
}
