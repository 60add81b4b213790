/** SharedState: many named objects on one segment, with one schema. */
import { inspect } from 'node:util'
import { nameOf, type SchemaDifference, segmentError } from '../errors/segment-messages.ts'
import { hasCode, type ShareError } from '../errors/share-error.ts'
import { inspected } from '../inspection.ts'
import type { Handle } from '../memory/handle.ts'
import {
  Attachment,
  type AttachOptions,
  assertSegmentOptions,
  SEGMENT_OPTIONS,
  type Segment,
  type SegmentOptions,
} from '../memory/segment.ts'
import { assertedName } from '../memory/segment-name.ts'
import { attach, registerKind, registerShareable, type Shareable } from '../memory/shareable.ts'
import {
  alignCell,
  attachSite,
  createSite,
  type MemberPlace,
  membersOf,
  openSite,
  Site,
  type SiteSpec,
} from '../memory/site.ts'
import { lockMismatch } from '../sync/lock-use.ts'
import { assertOptions, typeError, valueError } from '../validate.ts'
import { Member } from './member.ts'

const KIND = 'SharedState'

/** What a state calls its members, and what they are: `{ hits: Value('i'), jobs: Queue() }`. */
export type StateSchema = Readonly<Record<string, Member<Disposable>>>

/** What a state has beside its members. */
export interface StateMembers extends Disposable {
  /** The name of the segment; for an anonymous one a random one. */
  readonly name: string
  /** A plain description with which others attach. */
  readonly handle: Handle
  /** The same as `handle`, for `JSON.stringify` and `process.send`. */
  toJSON(): Handle
  /** Closes all members and ends this handle. Idempotent. */
  close(): void
  /**
   * Removes the name now. Those who are attached go on; nobody new can attach.
   * @throws {@link ShareError} `ENOENT` when it is gone already; `ERR_CLOSED`.
   */
  unlink(): void
  /** Calls `ref()` of all members: their pending asynchronous waits keep the process alive, as they do by default. */
  ref(): this
  /** Calls `unref()` of all members: the process may end although asynchronous waits for them are pending. */
  unref(): this
}

/** A state: its members by their names, and {@link StateMembers}. */
export type SharedState<S extends StateSchema = StateSchema> = StateMembers & {
  readonly [Name in keyof S]: S[Name] extends Member<infer T> ? T : never
}

/** Names that members cannot have: those of a state's own members, now or in the next versions, and those that JavaScript uses. */
const RESERVED = [
  ...['name', 'handle', 'toJSON', 'close', 'unlink', 'ref', 'unref', 'snapshot', 'update', 'memberCount'],
  ...['then', 'constructor', '__proto__'],
]

/** What can be a member. Not a state: a description that names its own segment would never come to an end. */
const KINDS = [
  ...['Value', 'SharedArray', 'Lock', 'RLock', 'Semaphore', 'BoundedSemaphore', 'Condition', 'Event', 'Barrier'],
  ...['Queue', 'JoinableQueue', 'SimpleQueue'],
]

/** The constructor of {@link SharedState}. */
export interface SharedStateConstructor {
  /**
   * Makes an anonymous state; others attach to it through its `handle`.
   * @throws `TypeError` for a schema that is none; what the constructors of its members throw; {@link ShareError} `ENOSPC`,
   * `ENOMEM`, `EMFILE` when the system has no room.
   */
  new <S extends StateSchema>(schema: S, options?: SegmentOptions): SharedState<S>
  /** Makes a state of that name. @throws {@link ShareError} `EEXIST` when there is one; as the constructor. */
  create<S extends StateSchema>(name: string, schema: S, options?: SegmentOptions): SharedState<S>
  /**
   * Attaches to a state by name or handle. Without a schema it has the members that the segment says.
   * @throws {@link ShareError} `ERR_LAYOUT`, naming the first difference, when its members are not those of the schema;
   * otherwise as {@link SharedMemory.attach}.
   */
  attach<S extends StateSchema>(target: string | Handle, schema: S, options?: AttachOptions): SharedState<S>
  attach(target: string | Handle): StateMembers & Readonly<Record<string, Shareable & Disposable>>
  /**
   * Attaches to the state of that name, or creates it: of many who do so at once exactly one creates.
   * @throws {@link ShareError} `ERR_LAYOUT`, naming the first difference, when it exists with other members.
   */
  open<S extends StateSchema>(name: string, schema: S, options?: SegmentOptions): SharedState<S>
}

/** Each member begins a cache line of its own, in the payload and in the cells: they do not slow each other down. */
function specOf(schema: StateSchema, options: SegmentOptions = {}): SiteSpec {
  assertOptions('options', options, SEGMENT_OPTIONS)
  assertSegmentOptions(options)
  assertSchema(schema)
  let cellsBytes = 0
  let payloadBytes = 0
  const members: MemberPlace[] = []
  for (const [name, { spec }] of Object.entries(schema)) {
    members.push({ name, cell: cellsBytes, byteOffset: payloadBytes, description: spec.description })
    cellsBytes += alignCell(Math.max(spec.cellsBytes, 1)) // at least one: the cell is what tells members apart
    payloadBytes += alignCell(spec.payloadBytes ?? 0)
  }
  return {
    description: { kind: KIND, members },
    cellsBytes,
    payloadBytes,
    hasWords: Object.values(schema).some(({ spec }) => spec.hasWords),
    initialise: (segment) => {
      for (const { name, cell, byteOffset } of members) schema[name]!.spec.initialise(segment, cell, byteOffset)
    },
    check: (_found, segment) => checkMembers(segment, schema),
  }
}

function assertSchema(schema: unknown): asserts schema is StateSchema {
  if (typeof schema !== 'object' || schema === null) throw typeError('schema', 'an object of members', schema)
  for (const [name, member] of Object.entries(schema)) {
    if (RESERVED.includes(name))
      throw valueError('schema', `an object without the reserved member name "${name}"`, schema)
    if (!(member instanceof Member))
      throw typeError(`schema.${name}`, "a member, such as Value('i') without new", member)
  }
}

/** @throws {@link ShareError} `ERR_LAYOUT` that names the first difference. */
function checkMembers(segment: Segment, schema: StateSchema): undefined {
  const differs = (difference: SchemaDifference): ShareError =>
    segmentError('ERR_LAYOUT', { segment: segment.name, difference })
  const members = membersOf(segment)
  for (const [index, [name, { spec }]] of Object.entries(schema).entries()) {
    const member = members[index]
    if (member === undefined) throw differs({ what: 'missing', member: name })
    if (member.name !== name) {
      throw differs({ what: 'order', position: index + 1, found: member.name, expected: name })
    }
    const { kind, lock } = spec.description
    const found = member.description
    if (found.kind !== kind) throw differs({ what: 'kind', member: name, found: found.kind, expected: kind })
    const mismatch = lockMismatch(found.lock, lock) ?? spec.check?.(found, segment)
    if (mismatch !== undefined) throw differs({ what: 'member', member: name, mismatch })
  }
  const extra = members[Object.keys(schema).length]
  if (extra !== undefined) throw differs({ what: 'extra', member: extra.name })
}

/**
 * The members that the segment says, which anybody may have written.
 * @throws {@link ShareError} `ERR_CORRUPT` for names that no state has given; `ERR_LAYOUT` for kinds that this version lacks.
 */
function soundMembersOf(segment: Segment): readonly MemberPlace[] {
  const members = membersOf(segment)
  const names = new Set(members.map(({ name }) => name))
  if (names.size < members.length || RESERVED.some((name) => names.has(name)))
    throw segmentError('ERR_CORRUPT', { segment: segment.name })
  if (!members.every(({ description }) => KINDS.includes(description.kind)))
    throw segmentError('ERR_LAYOUT', { segment: segment.name })
  return members
}

/** What all kinds of members have. */
interface StateMember extends Disposable {
  ref(): unknown
  unref(): unknown
}

class State {
  readonly #attachment: Attachment
  readonly #members: StateMember[] = []

  constructor(site: Site, schema: StateSchema | undefined, options?: AttachOptions) {
    const { attachment } = site
    this.#attachment = attachment
    try {
      for (const place of soundMembersOf(attachment.segment)) {
        const object =
          schema === undefined ? attachMember(attachment, place, options) : adopt(attachment, place, schema)
        this.#members.push(object)
        Object.defineProperty(this, place.name, { value: object, enumerable: true })
      }
    } catch (error) {
      for (const member of this.#members) member[Symbol.dispose]()
      attachment.abandon()
      throw error
    }
    registerShareable(this)
  }

  get name(): string {
    return this.#attachment.name
  }

  get handle(): Handle {
    const { handle } = this.#attachment
    this.#attachment.keep(this)
    return handle
  }

  toJSON(): Handle {
    return this.handle
  }

  close(): void {
    for (const member of this.#members) member[Symbol.dispose]()
    this.#attachment.close()
  }

  unlink(): void {
    this.#attachment.unlink()
  }

  ref(): this {
    for (const member of this.#members) member.ref()
    return this
  }

  unref(): this {
    for (const member of this.#members) member.unref()
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [inspect.custom](): string {
    const { subject, closed } = this.#attachment
    return inspected(`${nameOf(subject)} { ${Object.keys(this).join(', ')} }`, closed, () => undefined)
  }
}

/** Makes the object of a member in the way that the schema says. */
function adopt({ segment }: Attachment, place: MemberPlace, schema: StateSchema): StateMember {
  const { name, cell, description, byteOffset, byteEnd } = place
  const site = new Site(new Attachment(segment, description.kind), cell, description, byteOffset, byteEnd)
  return schema[name]!.adopt(site) as StateMember
}

function attachMember(
  { handle }: Attachment,
  { cell, description }: MemberPlace,
  options?: AttachOptions,
): StateMember {
  return attach({ ...handle, kind: description.kind, cell }, options) as unknown as StateMember
}

/**
 * Many named objects on one segment: what an application shares, in one place and under one name.
 *
 * @remarks Members are made by calling the classes without `new`; each is the object that it would be on its own, also as a
 * handle, and none of them costs a segment. All who open the state must say the same schema: names, order and types are
 * compared. `close` closes all members.
 * @example
 * ```ts
 * import { Lock, Queue, SharedArray, SharedState, Value } from 'procshare'
 * using app = SharedState.open('app', {
 *   hits: Value('i'),
 *   temps: SharedArray('d', 1000),
 *   jobs: Queue<{ path: string }>(),
 *   lock: Lock(),
 * })
 * app.hits.add(1)
 * app.temps[0] = 36.6
 * await app.jobs.put({ path: '/tmp/a' })
 * await app.lock.run(() => console.assert(app.jobs.size === 1))
 * ```
 */
export const SharedState = class SharedState {
  constructor(schema: StateSchema, options?: SegmentOptions) {
    // biome-ignore lint/correctness/noConstructorReturn: a factory by design; instanceof works through State
    return new State(createSite(undefined, specOf(schema, options), options ?? {}), schema) as never
  }

  static create(name: string, schema: StateSchema, options?: SegmentOptions): unknown {
    return new State(createSite(assertedName(name), specOf(schema, options), options ?? {}), schema)
  }

  static attach(target: string | Handle, schema?: StateSchema, options?: AttachOptions): unknown {
    if (schema !== undefined) assertSchema(schema)
    const check = schema && ((_found: unknown, segment: Segment) => checkMembers(segment, schema))
    for (;;) {
      try {
        return new State(attachSite(KIND, target, options, check), schema, options)
      } catch (error) {
        // Between the state and its members the name has come to mean another state.
        if (!hasCode(error, 'ERR_STALE_HANDLE') || error.segment !== target) throw error
      }
    }
  }

  static open(name: string, schema: StateSchema, options?: SegmentOptions): unknown {
    return new State(openSite(name, specOf(schema, options), options ?? {}), schema)
  }

  static [Symbol.hasInstance](object: unknown): boolean {
    return object instanceof State
  }
} as unknown as SharedStateConstructor

registerKind(KIND, (handle, options) => new State(attachSite(KIND, handle, options), undefined, options))
