/**
 * Messages about shared memory: segments, the objects in them, and the native part.
 *
 * A message is one or two sentences: what is wrong, with which values, and what to do. Each code names the fields that its
 * message needs. `test/unit/error-messages.test.ts` renders all of them into docs/guide/error-messages.md.
 */
import { errorOf, type FieldsOf, hasMessage, type MessageTable } from './error-table.ts'
import { ShareError, type ShareErrorInfo } from './share-error.ts'

/** The subject of a message: a segment, the object that it belongs to, or a part of that. */
export interface Subject {
  readonly segment: string
  /** The name of the object's class, where it is known. */
  readonly kind?: string | undefined
  readonly part?: 'lock' | 'word' | undefined
}

/** `Queue "jobs"`, `segment "jobs"`, `the lock of segment "jobs"`. */
export function nameOf({ segment, kind, part }: Subject): string {
  const whole = `${kind ?? 'segment'} "${segment}"`
  if (part === undefined) return whole
  return part === 'lock' ? `the lock of ${whole}` : `a word of ${whole}`
}

/** A segment, or all of shared memory. */
interface SystemFields extends Room {
  readonly segment?: string | undefined
  readonly syscall?: string | undefined
  readonly errno?: number | undefined
}

/** How much memory was missing. */
export interface Room {
  readonly wantedBytes?: number | undefined
  readonly freeBytes?: number | undefined
}

function memoryOf({ segment }: SystemFields): string {
  return segment === undefined ? 'shared memory' : nameOf({ segment })
}

function numbersOf({ wantedBytes, freeBytes }: Room): string {
  if (wantedBytes === undefined) return ''
  return freeBytes === undefined
    ? ` (${wantedBytes} bytes wanted)`
    : ` (${wantedBytes} bytes wanted, ${freeBytes} free)`
}

/** How an existing object differs from the requested one. */
export type Mismatch =
  | { readonly what: 'type'; readonly found: unknown; readonly expected: unknown }
  | { readonly what: 'length'; readonly found: number; readonly expected: number }
  | { readonly what: 'lock'; readonly found: 'none' | 'some'; readonly expected: 'none' | 'own' | 'given' }
  | { readonly what: 'options'; readonly found: Readonly<Record<string, unknown>>; readonly expected: object }

/** A type that this runtime does not have. */
interface UnsupportedType {
  readonly segment?: string
  /** The type, and why. */
  readonly unsupported: string
}

function predicateOf(mismatch: Mismatch): string {
  switch (mismatch.what) {
    case 'type':
      return `holds ${typeText(mismatch.found)}, not ${typeText(mismatch.expected)}`
    case 'length':
      return `has ${elements(mismatch.found)}, not ${mismatch.expected}`
    case 'lock':
      if (mismatch.found === 'none') return 'was created with lock: false, but a lock is expected'
      if (mismatch.expected === 'none') return 'was created with a lock, but lock: false is expected'
      return mismatch.expected === 'own'
        ? 'was created with the lock of another object, but a lock of its own is expected'
        : 'was created with a different lock than the given one'
    case 'options': {
      const { found } = mismatch
      const expected = mismatch.expected as Readonly<Record<string, unknown>>
      const keys = Object.keys(expected).filter((key) => found[key] !== expected[key])
      const list = (options: Readonly<Record<string, unknown>>) =>
        keys.map((key) => `${key}: ${optionText(options[key])}`).join(', ')
      return `was created with ${list(found)}, not with ${list(expected)}`
    }
  }
}

function elements(count: number): string {
  return count === 1 ? '1 element' : `${count} elements`
}

function typeText(type: unknown): string {
  return typeof type === 'string' ? `'${type}'` : JSON.stringify(type)
}

function optionText(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value)
}

/** The first difference between the members of a state and a schema. */
export type SchemaDifference =
  | { readonly what: 'missing'; readonly member: string }
  | { readonly what: 'extra'; readonly member: string }
  | { readonly what: 'order'; readonly position: number; readonly found: string; readonly expected: string }
  | { readonly what: 'kind'; readonly member: string; readonly found: string; readonly expected: string }
  | { readonly what: 'member'; readonly member: string; readonly mismatch: Mismatch }

function differenceOf(difference: SchemaDifference): string {
  switch (difference.what) {
    case 'missing':
      return `it has no member "${difference.member}"`
    case 'extra':
      return `its member "${difference.member}" is not in the schema`
    case 'order':
      return `its member ${difference.position} is "${difference.found}", not "${difference.expected}"`
    case 'kind':
      return `its member "${difference.member}" is ${withArticle(difference.found)}, not ${withArticle(difference.expected)}`
    case 'member':
      return `its member "${difference.member}" ${predicateOf(difference.mismatch)}`
  }
}

function withArticle(kind: string): string {
  return /^([AEIO]|RLock)/.test(kind) ? `an ${kind}` : `a ${kind}`
}

const SEGMENT_MESSAGES = {
  // Errors of the operating system, and errors that the native part finds.
  EACCES: (fields: SystemFields) =>
    fields.segment === undefined
      ? 'this user has no permission for shared memory: check the permissions of /dev/shm'
      : `this user has no permission for ${memoryOf(fields)}: create it with a mode that includes this user, and check the permissions of /dev/shm`,
  EAGAIN: (_fields: SystemFields) =>
    'the system cannot start another thread: end some threads or processes, or raise the limit (ulimit -u; in a container, docker run --pids-limit)',
  EEXIST: (fields: SystemFields) => `${memoryOf(fields)} already exists: attach to it, open it, or unlink it first`,
  EFBIG: (fields: SystemFields & { readonly byteLength?: number; readonly maxBytes?: number }) => {
    const { segment, byteLength, maxBytes } = fields
    if (byteLength === undefined) return `${memoryOf(fields)} is larger than the system allows: create a smaller one`
    const name = segment === undefined ? 'a segment' : nameOf({ segment })
    return `${name} of ${byteLength} bytes is too large: this runtime allows buffers of at most ${maxBytes} bytes`
  },
  EINVAL: (fields: SystemFields) =>
    `the system rejects the name or the size of ${memoryOf(fields)}: choose another one`,
  EIO: (fields: SystemFields) => `the system reports an input/output error for ${memoryOf(fields)}`,
  EMFILE: (fields: SystemFields) =>
    `this process has too many open files to use ${memoryOf(fields)}: close some objects, or raise the limit (ulimit -n)`,
  ENAMETOOLONG: (fields: SystemFields) =>
    `the name of ${memoryOf(fields)} is too long for this system: choose a shorter one`,
  ENFILE: (fields: SystemFields) =>
    `the system has too many open files to use ${memoryOf(fields)}: close some objects, or raise its limit (sysctl fs.file-max)`,
  ENODEV: (fields: SystemFields) =>
    `the system cannot map ${memoryOf(fields)} into memory: its name belongs to something else`,
  ENOENT: (fields: SystemFields) =>
    `${memoryOf(fields)} does not exist: it has not been created, or its last user has closed it`,
  ENOLCK: (fields: SystemFields) => `the system has no file locks left for ${memoryOf(fields)}: close some objects`,
  ENOMEM: (fields: SystemFields) =>
    `there is not enough memory or address space for ${memoryOf(fields)}${numbersOf(fields)}: close some objects, or raise the limits (ulimit -v, sysctl vm.max_map_count)`,
  ENOSPC: (fields: SystemFields) =>
    `there is not enough shared memory for ${memoryOf(fields)}${numbersOf(fields)}: remove unused segments, or enlarge shared memory (\`df /dev/shm\` shows its size; in a container, docker run --shm-size; on Windows, the page file)`,
  ENOSYS: (fields: SystemFields) => `this system lacks a function that ${memoryOf(fields)} needs`,
  EPERM: (fields: SystemFields) => `the system does not permit this operation on ${memoryOf(fields)}`,
  EROFS: (fields: SystemFields) =>
    `${memoryOf(fields)} cannot be written: /dev/shm is mounted read-only. Mount it writable`,
  ERR_SYSTEM: (fields: SystemFields) => {
    const { syscall, errno } = fields
    if (syscall === undefined) return `the system reports an unexpected error for ${memoryOf(fields)}`
    return `the system call ${syscall} failed for ${memoryOf(fields)} with the unexpected error ${errno}`
  },
  ERR_ABI: ({ segment }: { readonly segment: string }) =>
    `segment "${segment}" was created by a process with another C library or word size: run all processes that use it with the same C library and word size`,
  ERR_EXTERNAL_BUFFERS: ({ segment }: { readonly segment: string }) =>
    `segment "${segment}" cannot be mapped: this runtime does not allow buffers over memory outside its heap (Electron 21 and later do not). Use the segment in a child process that runs Node itself`,
  ERR_FOREIGN: ({ segment }: { readonly segment: string }) =>
    `segment "${segment}" was not created by procshare: only SharedMemory.attach() can attach to such memory`,
  ERR_NAMESPACE: ({ segment }: { readonly segment: string }) =>
    `segment "${segment}" belongs to another pid namespace (another container), from which the death of a lock's owner cannot be detected: create it with pidNamespaces: 'any', or run all processes that use it in one namespace (docker run --pid, shareProcessNamespace in Kubernetes)`,
  ERR_NOT_READY: ({ segment }: { readonly segment: string }) =>
    `segment "${segment}" is still being created by another process: try again later, or wait for it with whenAvailable()`,
  ERR_OTHER_USER: ({ segment }: { readonly segment: string }) =>
    `segment "${segment}" belongs to another user: pass anyOwner: true if you trust that user`,

  ERR_BROKEN_BARRIER: (fields: Subject) =>
    `${nameOf(fields)} is broken: a party timed out, cancelled its wait or ended, or the barrier was aborted or reset. Call reset() to use it again`,
  ERR_CLOSED: (fields: Subject) => `${nameOf(fields)} was closed`,
  ERR_CORRUPT: ({ segment }: { readonly segment?: string | undefined }) =>
    segment === undefined
      ? 'a queue item is damaged: its bytes cannot be decoded'
      : `segment "${segment}" is truncated or overwritten: unlink it and create it again`,
  ERR_DEADLOCK: (fields: Subject) =>
    `${nameOf(fields)} is already held by this thread or task, so this wait would never end: release it first`,
  ERR_ENDED: (fields: Subject & { readonly why: 'no more puts' | 'drained' | 'other end closed' }) => {
    if (fields.why === 'no more puts') return `${nameOf(fields)} has ended: no more items can be put into it`
    if (fields.why === 'drained') return `${nameOf(fields)} has ended and is empty: there are no more items to get`
    return `${nameOf(fields)} has ended: no process or worker has the other end open`
  },
  ERR_ITEM_LOST: (fields: Subject & { readonly item: string }) =>
    `${nameOf(fields)} has lost an item that was larger than its ring: the segment "${fields.item}" that held it was removed or damaged. The following items are not affected`,
  ERR_KIND: (fields: {
    readonly segment: string
    readonly found: string
    readonly expected: string
    readonly cell?: number | undefined
  }) =>
    fields.cell === undefined
      ? `segment "${fields.segment}" contains ${withArticle(fields.found)}, not ${withArticle(fields.expected)}: use ${fields.found} to attach to it`
      : `segment "${fields.segment}" contains no ${fields.expected} at cell ${fields.cell}: get a new handle of the object`,
  ERR_LAYOUT: ({ segment, difference }: { readonly segment: string; readonly difference?: SchemaDifference }) =>
    difference === undefined
      ? `segment "${segment}" was created by a version of procshare whose segment layout this version cannot read: end the processes that use it, and remove it with unlinkSegment() if it is persistent`
      : `SharedState "${segment}" differs from the schema: ${differenceOf(difference)}. Use the schema that it was created with, or choose another name`,
  ERR_NATIVE: (
    fields: { readonly root: string; readonly reason: string } & (
      | { readonly why: 'no binary'; readonly platform: string; readonly prebuilt: readonly string[] }
      | { readonly why: 'bundled' }
      | { readonly why: 'other version' }
    ),
  ) => {
    if (fields.why === 'bundled') {
      return `the native part of procshare could not be loaded: ${fields.root} is not its folder, so a bundler has probably moved its code. Mark procshare as external: \`--external:procshare\` for esbuild, \`externals: { procshare: 'commonjs procshare' }\` for webpack, \`external: ['procshare']\` for Rollup, \`serverExternalPackages: ['procshare']\` for Next.js. The loader reports: ${fields.reason}`
    }
    if (fields.why === 'other version') {
      return `the native part of procshare in ${fields.root} belongs to another version than its JavaScript: ${fields.reason}. Install the package again, or build the native part with \`npm rebuild procshare --build-from-source\``
    }
    const binaries = fields.prebuilt.length === 0 ? 'no binaries' : `binaries for ${fields.prebuilt.join(', ')}`
    return `the native part of procshare could not be loaded: no binary for ${fields.platform} in ${fields.root} works (the package has ${binaries}). To build one, run \`npm rebuild procshare --build-from-source\` (or pnpm, yarn), which needs a C++17 compiler, make and Python 3; \`--ignore-scripts\` and pnpm without \`approve-builds\` skip it. The loader reports: ${fields.reason}`
  },
  ERR_NOT_OWNER: (
    fields:
      | { readonly why: 'guard is released' }
      | (Subject & { readonly why: 'lock is not held' })
      | (Subject & { readonly why: 'units are not held'; readonly units: number }),
  ) => {
    if (fields.why === 'guard is released') {
      return 'this guard does not hold the lock any more: it was released before, or the lock was closed'
    }
    if (fields.why === 'lock is not held') {
      return `${nameOf(fields)} is not held by the caller: acquire it before wait(), waitFor() or notify(), or pass its guard`
    }
    const held = fields.units === 1 ? 'no unit' : `fewer than ${fields.units} units`
    return `this process or worker holds ${held} of ${nameOf(fields)}: release only what it has acquired`
  },
  ERR_NO_LOCK: (fields: Subject) => `${nameOf(fields)} was created with lock: false, so it has no lock`,
  ERR_NO_SHARED_MEMORY: (_fields: { readonly segment?: string | undefined }) =>
    'this system has no shared memory: /dev/shm does not exist. Mount a tmpfs there (mount -t tmpfs tmpfs /dev/shm)',
  ERR_NO_WORDS: ({ segment }: { readonly segment: string }) =>
    `segment "${segment}" cannot be waited on: wait(), waitAsync() and notify() need a SharedMemory, or a SharedArray of 'i'`,
  ERR_ONE_WAY: (fields: Subject & { readonly does: 'sends' | 'receives' }) =>
    `${nameOf(fields)} only ${fields.does}, because its pipe was created with duplex: false: use the other end`,
  ERR_OTHER_COPY: (fields: { readonly argument: string; readonly path: string; readonly ownPath: string }) =>
    `the argument ${fields.argument} belongs to another copy of procshare: that copy is in ${fields.path}, this one in ${fields.ownPath}. Install one copy for all (npm dedupe), or attach to its handle with this copy`,
  ERR_OVER_RELEASE: (fields: Subject & { readonly units: number }) =>
    `releasing ${units(fields.units)} of ${nameOf(fields)} would exceed its limit: release only what was acquired`,
  ERR_STALE_HANDLE: ({ segment, isReplaced }: { readonly segment: string; readonly isReplaced?: boolean }) =>
    isReplaced
      ? `segment "${segment}" of the handle was replaced by another one of the same name: get a new handle, and keep the object open until the other side has attached`
      : `segment "${segment}" of the handle no longer exists: keep the object open until the other side has attached`,
  ERR_TASK_DONE: (fields: Subject & { readonly count: number }) =>
    `${nameOf(fields)} has fewer unfinished items than taskDone(${fields.count}) reports: call taskDone() once for each item`,
  ERR_TIMEOUT: (
    fields: Omit<Subject, 'segment'> & { readonly segment?: string | undefined; readonly timeoutMs: number },
  ) => {
    const { segment, kind, part, timeoutMs } = fields
    const name = segment === undefined ? 'the object' : nameOf({ segment, kind, part })
    return timeoutText(name, timeoutMs)
  },
  ERR_TOO_LARGE: (
    fields: Subject & {
      readonly byteLength: number
      readonly maxBytes: number
      /** For several items at once, their number. The next field is the number of items that the queue can hold. */
      readonly count?: number
      readonly maxSize?: number
      readonly canSpill?: boolean
    },
  ) => {
    const { count, maxSize, byteLength, maxBytes } = fields
    const name = nameOf(fields)
    if (count === undefined) {
      const advice = fields.canSpill ? ', or with spill: true' : ''
      return `an item of ${byteLength} bytes is too large for ${name}, whose byteLength is ${maxBytes} (each item takes 8 bytes more): create it with a larger byteLength${advice}`
    }
    if (maxSize !== undefined && count > maxSize) {
      return `${count} items at once are too many for ${name}, whose maxSize is ${maxSize}: put fewer at a time`
    }
    return `${count} items of ${byteLength} bytes together are too large for ${name}, whose byteLength is ${maxBytes}: put fewer at a time, or create it with a larger byteLength`
  },
  ERR_TOO_MANY_WAITERS: (fields: Subject & { readonly limit: number }) =>
    `${nameOf(fields)} is in use by ${fields.limit} processes and workers, which is its limit: try again later, or close it where it is not needed`,
  ERR_TYPE: (fields: { readonly segment: string; readonly mismatch: Mismatch } | UnsupportedType) =>
    'mismatch' in fields
      ? `segment "${fields.segment}" ${predicateOf(fields.mismatch)}. Open it as it was created, or choose another name`
      : `${fields.segment === undefined ? 'a value' : `segment "${fields.segment}"`} contains ${fields.unsupported}`,
} satisfies MessageTable

function units(count: number): string {
  return count === 1 ? '1 unit' : `${count} units`
}

/** The message of a wait that took too long. @param name - the subject of the wait */
export function timeoutText(name: string, timeoutMs: number): string {
  return timeoutMs === 0
    ? `${name} is not ready, and timeoutMs is 0`
    : `waiting for ${name} took longer than ${timeoutMs} ms`
}

export type SegmentErrorCode = keyof typeof SEGMENT_MESSAGES
/** The fields that the message of a code needs. */
export type SegmentErrorFields<C extends SegmentErrorCode> = FieldsOf<typeof SEGMENT_MESSAGES, C>

/** An error about shared memory. */
export function segmentError<C extends SegmentErrorCode>(
  code: C,
  fields: SegmentErrorFields<C>,
  cause?: unknown,
): ShareError {
  const { segment, syscall, errno, wantedBytes, freeBytes } = fields as ShareErrorInfo
  return errorOf(SEGMENT_MESSAGES, code, fields, { segment, syscall, errno, wantedBytes, freeBytes, cause })
}

/** The error for one that native code threw. @param segment - undefined for all of shared memory */
export function fromNative(error: unknown, segment: string | undefined, room: Room = {}): unknown {
  if (error instanceof ShareError) return error
  const { code, errno, syscall } = error as { code?: string; errno?: number; syscall?: string }
  if (code === undefined || !hasMessage(SEGMENT_MESSAGES, code)) return error
  return segmentError(code as 'ENOENT', { segment, errno, syscall, ...room })
}
