import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import {
  type DisconnectedFields,
  type LimitFields,
  type ManagerErrorCode,
  type ManagerErrorFields,
  managerError,
  type ProtocolFields,
  type SocketFields,
} from '../../lib/errors/manager-messages.ts'
import { type ProcessErrorCode, type ProcessErrorFields, processError } from '../../lib/errors/process-messages.ts'
import {
  type Mismatch,
  type SegmentErrorCode,
  type SegmentErrorFields,
  type Subject,
  segmentError,
} from '../../lib/errors/segment-messages.ts'
import { SHARE_ERROR_CODES, type ShareError } from '../../lib/errors/share-error.ts'

const PAGE = fileURLToPath(new URL('../../docs/guide/error-messages.md', import.meta.url))
const LIB = fileURLToPath(new URL('../../lib', import.meta.url))
const NATIVE = fileURLToPath(new URL('../../native/js', import.meta.url))

type Samples<Code extends string, Fields> = { readonly [C in Code]: readonly Fields[] }

const segment = 'jobs'
const room = { segment, wantedBytes: 1_052_672, freeBytes: 65_536 }

/** The objects whose class a message can name. */
const KINDS = [
  ...['Value', 'SharedArray', 'SharedMemory', 'SharedState', 'Lock', 'RLock', 'Semaphore', 'BoundedSemaphore'],
  ...['Condition', 'Event', 'Barrier', 'Queue', 'JoinableQueue', 'SimpleQueue', 'Connection'],
]
const objects: readonly Subject[] = KINDS.map((kind) => ({ segment, kind }))
const lock: Subject = { segment, part: 'lock' }
const queue: Subject = { segment, kind: 'Queue' }

const mismatches: readonly Mismatch[] = [
  { what: 'type', found: 'i', expected: 'd' },
  { what: 'type', found: { struct: [['x', 'd']] }, expected: 'd' },
  { what: 'length', found: 1, expected: 8 },
  { what: 'length', found: 8, expected: 1 },
  { what: 'lock', found: 'none', expected: 'own' },
  { what: 'lock', found: 'some', expected: 'none' },
  { what: 'lock', found: 'some', expected: 'own' },
  { what: 'lock', found: 'some', expected: 'given' },
  { what: 'options', found: { pidNamespaces: 'own' }, expected: { pidNamespaces: 'any' } },
  {
    what: 'options',
    found: { pidNamespaces: 'own', persist: true },
    expected: { pidNamespaces: 'own', persist: false },
  },
  {
    what: 'options',
    found: { maxSize: 4, byteLength: 1024, spill: false },
    expected: { maxSize: 8, byteLength: 1024, spill: true },
  },
  { what: 'options', found: { value: 2, recoverable: true }, expected: { value: 3, recoverable: true } },
  { what: 'options', found: { parties: 3, timeoutMs: 50 }, expected: { parties: 4, timeoutMs: Infinity } },
]

/** What each caller passes, code by code; for an object of each class where any can be meant. */
const SEGMENT: { readonly [C in SegmentErrorCode]: readonly SegmentErrorFields<C>[] } = {
  EACCES: [{ segment }, {}],
  EAGAIN: [{ segment }],
  EEXIST: [{ segment }],
  EFBIG: [{ segment }, { segment, byteLength: 2 ** 40, maxBytes: 2 ** 32 }, { byteLength: 2 ** 40, maxBytes: 2 ** 32 }],
  EINVAL: [{ segment }],
  EIO: [{ segment }, {}],
  EMFILE: [{ segment }, {}],
  ENAMETOOLONG: [{ segment }],
  ENFILE: [{ segment }, {}],
  ENODEV: [{ segment }],
  ENOENT: [{ segment }],
  ENOLCK: [{ segment }],
  ENOMEM: [room, { segment, wantedBytes: 1_052_672 }, { segment }, {}],
  ENOSPC: [room, { segment, wantedBytes: 1_052_672 }, { segment }],
  ENOSYS: [{ segment }],
  EPERM: [{ segment }, {}],
  EROFS: [{ segment }],
  ERR_ABI: [{ segment }],
  ERR_BROKEN_BARRIER: [{ segment, kind: 'Barrier' }],
  ERR_CLOSED: [...objects, { segment }, lock],
  ERR_CORRUPT: [{ segment }, {}],
  ERR_DEADLOCK: [lock],
  ERR_ENDED: [
    { ...queue, why: 'no more puts' },
    { ...queue, why: 'drained' },
    { segment, kind: 'Connection', why: 'other end closed' },
  ],
  ERR_EXTERNAL_BUFFERS: [{ segment }],
  ERR_FOREIGN: [{ segment }],
  ERR_ITEM_LOST: [{ ...queue, item: 'procshare-spill-1-2' }],
  ERR_KIND: [
    { segment, found: 'Queue', expected: 'Event' },
    { segment, found: 'RLock', expected: 'Lock' },
    { segment, found: 'SharedState', expected: 'Lock', cell: 64 },
  ],
  ERR_LAYOUT: [
    { segment },
    { segment, difference: { what: 'missing', member: 'hits' } },
    { segment, difference: { what: 'extra', member: 'misses' } },
    { segment, difference: { what: 'order', position: 2, found: 'misses', expected: 'hits' } },
    { segment, difference: { what: 'kind', member: 'hits', found: 'Event', expected: 'Value' } },
    ...mismatches.map((mismatch) => ({
      segment,
      difference: { what: 'member', member: 'hits', mismatch } as const,
    })),
  ],
  ERR_NAMESPACE: [{ segment }],
  ERR_NATIVE: [
    { why: 'bundled', root: '/app/', reason: 'No native build was found' },
    {
      why: 'other version',
      root: '/app/node_modules/procshare/',
      reason: 'the stamp of its interface is missing, expected 0123456789abcdef',
    },
    {
      why: 'no binary',
      platform: 'linux-x64, Node 24.1.0',
      root: '/app/node_modules/procshare/',
      prebuilt: [],
      reason: 'No native build was found',
    },
    {
      why: 'no binary',
      platform: 'linux-x64, Node 24.1.0',
      root: '/app/node_modules/procshare/',
      prebuilt: ['darwin-arm64', 'win32-x64'],
      reason: 'No native build was found',
    },
  ],
  ERR_NOT_OWNER: [
    { why: 'guard is released' },
    { segment, kind: 'Condition', part: 'lock', why: 'lock is not held' },
    { segment, kind: 'Semaphore', why: 'units are not held', units: 1 },
    { segment, kind: 'BoundedSemaphore', why: 'units are not held', units: 2 },
  ],
  ERR_NOT_READY: [{ segment }],
  ERR_NO_LOCK: [
    { segment, kind: 'Value' },
    { segment, kind: 'SharedArray' },
  ],
  ERR_NO_SHARED_MEMORY: [{ segment }],
  ERR_NO_WORDS: [{ segment }],
  ERR_ONE_WAY: [
    { segment, kind: 'Connection', does: 'sends' },
    { segment, kind: 'Connection', does: 'receives' },
  ],
  ERR_OTHER_COPY: [
    {
      argument: 'options.lock',
      path: '/app/node_modules/a/node_modules/procshare',
      ownPath: '/app/node_modules/procshare',
    },
  ],
  ERR_OTHER_USER: [{ segment }],
  ERR_OVER_RELEASE: [
    { segment, kind: 'Semaphore', units: 2 },
    { segment, kind: 'BoundedSemaphore', units: 1 },
  ],
  ERR_STALE_HANDLE: [{ segment }, { segment, isReplaced: true }],
  ERR_TASK_DONE: [{ segment, kind: 'JoinableQueue', count: 1 }],
  ERR_TIMEOUT: [
    ...objects.map((subject) => ({ ...subject, timeoutMs: 50 })),
    { ...lock, timeoutMs: 50 },
    { ...lock, timeoutMs: 0 },
    { segment, kind: 'Condition', part: 'lock', timeoutMs: 50 },
    { segment, part: 'word', timeoutMs: 50 },
    { segment, timeoutMs: 50 },
    { timeoutMs: 50 },
    { ...queue, timeoutMs: 0 },
  ],
  ERR_TOO_LARGE: [
    { ...queue, byteLength: 2000, maxBytes: 1024, canSpill: true },
    { segment, kind: 'Connection', byteLength: 2000, maxBytes: 1024, canSpill: false },
    { ...queue, byteLength: 2000, maxBytes: 1024, canSpill: true, count: 20, maxSize: 100 },
    { ...queue, byteLength: 200, maxBytes: 1024, canSpill: true, count: 20, maxSize: 4 },
  ],
  ERR_SYSTEM: [{ segment }, { segment, syscall: 'shm_open', errno: 71 }, {}],
  ERR_TOO_MANY_WAITERS: [
    ...['Semaphore', 'Condition', 'Event', 'Barrier', 'Connection'].map((kind) => ({ segment, kind, limit: 256 })),
    { segment, part: 'word', limit: 256 },
  ],
  ERR_TYPE: [
    ...mismatches.map((mismatch) => ({ segment, mismatch })),
    { segment, unsupported: "elements of type 'e': it needs Float16Array, which this runtime does not have" },
    { unsupported: 'a Float16Array, which this runtime does not have and Node.js has from version 24 on' },
  ],
}

const PROCESS: { readonly [C in ProcessErrorCode]: readonly ProcessErrorFields<C>[] } = {
  EACCES: [{}],
  EAGAIN: [{ process: 'Process-1' }, {}],
  EMFILE: [{ process: 'Process-1' }, {}],
  ENFILE: [{ process: 'Process-1' }, {}],
  ENOENT: [{}],
  ENOMEM: [{ process: 'Process-1' }, {}],
  EPERM: [{}],
  ERR_PROCESS_FAILED: [
    { process: 'Process-1', why: 'threw', error: 'RangeError: too much' },
    { process: 'Process-1', why: 'not started', error: 'spawn node ENOENT' },
    { why: 'not started', error: 'spawn node E2BIG' },
    { why: 'ended early', exit: 1 },
    { why: 'ended early', exit: 'SIGKILL' },
    { why: 'not listening', timeoutMs: 30_000 },
  ],
  ERR_PROCESS_IMPORT: [{ process: 'Process-1' }, {}],
  ERR_PROCESS_STATE: [
    { process: 'Process-1', why: 'already started' },
    { process: 'Process-1', why: 'not started' },
  ],
  ERR_TIMEOUT: [{ process: 'Process-1', timeoutMs: 50 }],
}

const address = '/run/app/manager.sock'
const sockets: readonly SocketFields[] = [
  { address, does: 'connect' },
  { address: 'tcp://127.0.0.1:80', does: 'connect' },
  { address, does: 'listen' },
  { address: 'tcp://127.0.0.1:80', does: 'listen' },
  { address: '/tmp', does: 'make a directory' },
]
const connecting = sockets.slice(0, 2)
const listening = sockets.slice(2)
const atAddresses = sockets.slice(0, 4)
const TYPES = [
  'Lock',
  'RLock',
  'Semaphore',
  'BoundedSemaphore',
  'Condition',
  'Event',
  'Barrier',
  'Queue',
  'JoinableQueue',
]

const disconnected: Samples<DisconnectedFields['why'], DisconnectedFields> = {
  'server ended': [{ address, why: 'server ended' }],
  'server closed the connection early': [{ address, why: 'server closed the connection early' }],
  reconnecting: [{ address, why: 'reconnecting' }],
  'socket failed': [
    { address, does: 'connect', why: 'socket failed', error: 'read ECONNRESET' },
    {
      address: 'tcp://nowhere.invalid:80',
      does: 'listen',
      why: 'socket failed',
      error: 'getaddrinfo ENOTFOUND nowhere.invalid',
    },
  ],
  'shut down': [{ why: 'shut down' }],
  'server process ended': [{ why: 'server process ended' }],
  'client stalled': [{ why: 'client stalled' }],
  'client did not authenticate': [{ why: 'client did not authenticate' }],
}

const limits: Samples<LimitFields['limit'], LimitFields> = {
  items: ['list', 'dict', 'set', 'Namespace', 'Queue', 'JoinableQueue'].map((type) => {
    return { type, limit: 'items', count: 16_777_217, max: 16_777_216 }
  }),
  'items at once': [{ type: 'Queue', limit: 'items at once', count: 9, max: 8 }],
  bytes: [{ type: 'Array', limit: 'bytes', count: 2 ** 31, max: 2 ** 30 }],
  'call bytes': [{ address, limit: 'call bytes', count: 2 ** 27, max: 2 ** 26 }],
  clients: [{ address, limit: 'clients' }],
  'reply bytes': [
    { limit: 'reply bytes', count: 2 ** 27, isAtLeast: false, max: 2 ** 26 },
    { limit: 'reply bytes', count: 2 ** 27, isAtLeast: true, max: 2 ** 26 },
  ],
  'compared values': [{ limit: 'compared values', max: 262_144 }],
  'call time': [{ limit: 'call time', max: 2000 }],
  proxies: [{ limit: 'proxies', max: 100_000 }],
  'pending calls': [{ limit: 'pending calls', max: 20_000 }],
}

const protocol: Samples<ProtocolFields['why'], ProtocolFields> = {
  'no manager': [{ address, why: 'no manager' }],
  'bad greeting': [{ address, why: 'bad greeting' }],
  'bad proof': [{ address, why: 'bad proof' }],
  version: [{ address, why: 'version', version: 2, ownVersion: 1 }],
  'wrong opening': [{ why: 'wrong opening' }],
  'message too short': [{ why: 'message too short' }],
  'request without method': [{ why: 'request without method' }],
  'unref too short': [{ why: 'unref too short' }],
  'ring item': [{ why: 'ring item' }],
  value: [{ why: 'value' }],
  kind: [{ why: 'kind', value: 99 }],
  format: [{ why: 'format', value: 99 }],
  'duplicate request': [{ why: 'duplicate request', value: 7 }],
  frame: [{ why: 'frame', byteLength: 2 ** 27, max: 2 ** 26 }],
  'no rings': [{ why: 'no rings' }],
  'switch in rings': [{ why: 'switch in rings' }],
  arguments: [{ why: 'arguments' }],
  reference: [{ why: 'reference' }],
  iteration: [{ why: 'iteration' }],
}

const MANAGER: { readonly [C in ManagerErrorCode]: readonly ManagerErrorFields<C>[] } = {
  EACCES: sockets,
  EADDRINUSE: listening.slice(0, 2),
  EADDRNOTAVAIL: [{ address: 'tcp://192.0.2.1:8080', does: 'listen' }],
  EAGAIN: [...atAddresses, { address, does: 'block' }],
  ECONNREFUSED: connecting,
  EINVAL: atAddresses,
  EIO: sockets,
  EMFILE: sockets,
  ENAMETOOLONG: [{ address: '/a/very/long/path/manager.sock', byteLength: 131, max: 103 }, ...listening],
  ENFILE: sockets,
  ENOENT: sockets.filter((fields) => fields.address.startsWith('/')),
  ENOMEM: sockets,
  ENOSPC: listening,
  EPERM: sockets,
  EROFS: listening,
  ERR_AUTHENTICATION: [{ address, why: 'server rejected the key' }, { address, why: 'wrong proof' }, { why: 'client' }],
  ERR_BROKEN_BARRIER: [{ type: 'Barrier' }],
  ERR_CLOSED: [{ address }, { type: 'dict', id: 5 }, ...TYPES.map((type) => ({ type }))],
  ERR_DEADLOCK: [
    { type: 'Lock', why: 'held' },
    { address, why: 'busy' },
    { address, why: 'served by this thread' },
  ],
  ERR_DISCONNECTED: Object.values(disconnected).flat(),
  ERR_ENDED: [
    { type: 'Queue', why: 'no more puts' },
    { type: 'JoinableQueue', why: 'drained' },
    { address, why: 'relay' },
  ],
  ERR_KIND: [{ name: 'settings', found: 'list', expected: 'dict' }],
  ERR_LIMIT: Object.values(limits).flat(),
  ERR_MANAGER_STATE: [{ does: 'register' }, { does: 'shutdown' }],
  ERR_NOT_EXPOSED: [
    { type: 'Counter', method: 'reset' },
    { type: 'Counter', method: 'reset', isMissing: true },
    { isServer: true },
  ],
  ERR_NOT_OWNER: [
    { type: 'Lock', why: 'guard is released' },
    { type: 'Lock', why: 'free' },
    { type: 'RLock', why: 'not the caller' },
    { type: 'Condition', why: 'lock of the condition' },
  ],
  ERR_NO_KEY: [{ address }],
  ERR_NO_OBJECT: [{ id: 5 }, { name: 'settings', type: 'dict' }],
  ERR_OVER_RELEASE: [
    { type: 'BoundedSemaphore', units: 1, max: 4 },
    { type: 'Semaphore', units: 2, max: 2_147_483_647 },
  ],
  ERR_PROTOCOL: Object.values(protocol).flat(),
  ERR_STALE_HANDLE: [{ address }],
  ERR_SYSTEM: [{ address: '/tmp', does: 'make a directory', error: "EBUSY: resource busy, mkdtemp '/tmp/x'" }],
  ERR_TASK_DONE: [{ type: 'JoinableQueue', count: 2 }],
  ERR_TIMEOUT: [
    { address, timeoutMs: 50 },
    ...TYPES.map((type) => ({ type, timeoutMs: 50 })),
    { type: 'Lock', timeoutMs: 0 },
  ],
  ERR_TLS: [
    { address, why: 'refused' },
    { address, why: 'failed', error: 'self-signed certificate' },
  ],
}

type Render = (code: never, fields: never) => ShareError

function render(table: Readonly<Record<string, readonly unknown[]>>, make: Render): ShareError[] {
  return Object.entries(table).flatMap(([code, samples]) => {
    return samples.map((fields) => make(code as never, fields as never))
  })
}

const DOMAINS: readonly (readonly [title: string, errors: readonly ShareError[]])[] = [
  ['Shared memory', render(SEGMENT, segmentError as Render)],
  ['Child processes', render(PROCESS, processError as Render)],
  ['Managers', render(MANAGER, managerError as Render)],
]

function page(): string {
  const lines = [
    '# Error messages',
    '',
    'Every message that a `ShareError` can have, by its `code`, with example values: names, sizes and reasons differ. The codes are',
    'stable, the words are not. [Errors](errors.md) lists what the codes mean.',
    '',
    '<!-- Generated: PROCSHARE_UPDATE_DOCS=1 npx vitest run test/unit/error-messages.test.ts -->',
  ]
  for (const [title, errors] of DOMAINS) {
    lines.push('', `## ${title}`)
    for (const code of [...new Set(errors.map((error) => error.code))].sort()) {
      const messages = new Set(errors.filter((error) => error.code === code).map(({ message }) => message))
      lines.push('', `### ${code}`, '', ...[...messages].map((message) => `- ${message}`))
    }
  }
  return `${lines.join('\n')}\n`
}

const all = DOMAINS.flatMap(([, errors]) => errors)

it('docs/guide/error-messages.md has every message that the library can render', () => {
  if (process.env.PROCSHARE_UPDATE_DOCS !== undefined) writeFileSync(PAGE, page())
  expect(readFileSync(PAGE, 'utf8')).toBe(page())
})

it('every code of ShareError has a message', () => {
  const rendered = new Set(all.map(({ code }) => code))
  expect(SHARE_ERROR_CODES.filter((code) => !rendered.has(code))).toEqual([])
})

it('every code of ShareError is thrown somewhere in the library', () => {
  const own = SHARE_ERROR_CODES.filter((code) => code.startsWith('ERR_'))
  const native = textsIn(NATIVE, /\.cc$/)
  const lib = textsIn(LIB, /^(?!errors).*\.ts$/)
  expect(own.filter((code) => !native.includes(`"${code}"`) && !lib.includes(`Error('${code}'`))).toEqual([])
})

function textsIn(folder: string, names: RegExp): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => names.test(name))
  return files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n')
}

it('every message begins with a capital letter, has no holes and names no persons', () => {
  for (const { message } of all) {
    expect(message).toMatch(/^[A-Z\d]/)
    expect(message).not.toMatch(/^\w+[.(]/) // an identifier that has got a capital letter
    expect(message).not.toMatch(/undefined|null|NaN|\[object|: $|: :|\.\.| {2}|[.:,]$/)
    expect(message).not.toMatch(
      /\b(nobody|somebody|anybody|whoever|who|those|anew|made with|exists already|there is no )\b/i,
    )
    expect(message.length).toBeLessThan(420)
  }
})
