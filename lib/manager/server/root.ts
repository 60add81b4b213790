/** The object that stands for the server itself: making objects, names, transactions, and what the server says of itself. */
import { managerError } from '../../errors/manager-messages.ts'
import { isHandle } from '../../memory/handle.ts'
import { assertString, typeError, valueError } from '../../validate.ts'
import type { Call } from './call.ts'
import { Stopwatch } from './limits.ts'
import { type ManagedType, methods } from './managed-type.ts'
import { Referent } from './referent.ts'
import type { ServerCore } from './server-core.ts'
import { runTransaction } from './transaction.ts'
import { iteratorType } from './types/iterator.ts'

/** Longer than any name needs to be. */
const MAX_NAME_LENGTH = 255

/** Named objects that are being made, by a function that takes its time: whoever else asks gets the same one. */
const underway = new WeakMap<ServerCore, Map<string, Promise<Referent>>>()

function create(server: ServerCore, call: Call, typeName: unknown, args: unknown, name: unknown): unknown {
  assertString('type', typeName)
  if (!Array.isArray(args)) throw typeError('args', 'an array', args)
  const type = server.types.get(typeName)
  if (type === undefined) throw valueError('type', `one of ${creatableTypes(server)}`, typeName)
  if (name === undefined) return make(server, call, type, args)
  assertName(name)
  const existing = server.referents.named(name)
  if (existing !== undefined) return checkKind(existing, type)
  const pending = underway.get(server)?.get(name)
  if (pending !== undefined) return pending.then((referent) => checkKind(referent, type))
  const made = make(server, call, type, args)
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

/** The types that a client can ask for: an iteration is only what a method returns. */
function creatableTypes({ types }: ServerCore): string {
  return [...types.keys()].filter((name) => name !== iteratorType.name).join(', ')
}

function make(server: ServerCore, call: Call, type: ManagedType, args: unknown[]): Referent | Promise<Referent> {
  const object = type.create(args, call)
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

/** The number of the object of that name, which the client gets a proxy for. */
function find(server: ServerCore, call: Call, name: unknown, typeName: unknown): number {
  assertName(name)
  const referent = server.referents.named(name)
  if (referent === undefined || referent.type.name !== typeName) {
    throw managerError('ERR_NO_OBJECT', { name, type: String(typeName) })
  }
  call.session.hold(referent)
  return referent.id
}

function stats(server: ServerCore) {
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

function debugInfo(server: ServerCore) {
  const objects = []
  const watch = new Stopwatch()
  for (const { id, type, name, holders, object } of server.referents.values()) {
    watch.look()
    let text: string
    try {
      text = type.show(object)
    } catch (error) {
      text = `(cannot be shown: ${error})`
    }
    objects.push({ id, type: type.name, name, clients: holders.size, text: text.slice(0, 200).toWellFormed() })
  }
  return objects
}

export const rootType: ManagedType = {
  name: 'server',
  create: () => {
    throw managerError('ERR_NOT_EXPOSED', { isServer: true })
  },
  methods: methods({
    create,
    stats,
    debugInfo,
    find: (server: ServerCore, call, name: unknown, typeName: unknown) => find(server, call, name, typeName),
    takeRings: (_server: ServerCore, call, handle: unknown) => isHandle(handle) && call.session.takeRings(handle),
    names: (server: ServerCore) => server.referents.names(),
    unlink: (server: ServerCore, _call, name: unknown) => {
      assertString('name', name)
      return server.referents.unbind(name)
    },
    transaction: (_server: ServerCore, call, operations: unknown) => runTransaction(call, operations),
    show: (_server: ServerCore, _call, referent: unknown) => {
      if (!(referent instanceof Referent)) throw typeError('object', 'a managed object', referent)
      return referent.type.show(referent.object)
    },
  }),
  show: () => 'server',
}
