/** SharedState: many named objects on one segment, with one schema. */

import { inspect } from 'node:util'
import { defineProperty } from '../define-property.ts'
import { nameOf, type SchemaDifference, segmentError } from '../errors/segment-messages.ts'
import type { ShareError } from '../errors/share-error.ts'
import { inspected } from '../inspection.ts'
import type { Handle } from '../memory/handle.ts'
import { type AttachSpec, defineKind, type KindSpec } from '../memory/kind.ts'
import { Member } from '../memory/member.ts'
import { alignCell, type MemberEntry, membersOf, Placement, placementOf } from '../memory/placement.ts'
import {
  Attachment,
  type AttachOptions,
  type Segment,
  type SegmentOptions,
  takeAttachOptions,
  takeSegmentOptions,
} from '../memory/segment.ts'
import { memberKind, registerShareable, type Shareable } from '../memory/shareable.ts'
import { lockKind, lockMember, lockMismatch } from '../sync/lock-use.ts'
import { typeError, valueError } from '../validate.ts'

/** The names and types of the members of a state: `{ hits: Value('i'), workers: [Value('i'), Value('i')] }`. */
export type StateSchema = Readonly<Record<string, Member<Disposable> | readonly Member<Disposable>[]>>

type ObjectOf<M> = M extends Member<infer T> ? T : never
type ListOf<Members extends readonly unknown[]> = { readonly [Index in keyof Members]: ObjectOf<Members[Index]> }

/** The objects that a schema describes: an object for a member, and an array of objects for an array of members. */
export type ObjectsOf<S extends StateSchema> = {
  readonly [Name in keyof S]: S[Name] extends readonly unknown[] ? ListOf<S[Name]> : ObjectOf<S[Name]>
}

/** The properties and methods that a state has in addition to its members. */
export interface StateMembers extends Disposable {
  /** The name of the segment; random if it is anonymous. */
  readonly name: string
  /**
   * How many main threads and workers, of all processes, have the segment open at this moment, this one included.
   *
   * @remarks Each counts once, even if it has several objects in the segment. A killed process does not count, nor does a thread
   * whose last object was closed or collected. The number may change at any time.
   * @throws {@link ShareError} `ERR_CLOSED`.
   */
  readonly memberCount: number
  /** A plain description with which other processes attach. */
  readonly handle: Handle
  /** The same as `handle`, for `JSON.stringify` and `process.send`. */
  toJSON(): Handle
  /** Closes all members and ends this handle. Idempotent. */
  close(): void
  /**
   * Removes the name now. Attached objects stay usable; no further one can attach by that name.
   * @throws {@link ShareError} `ENOENT` when the name is already gone; `ERR_CLOSED`.
   */
  unlink(): void
  /** Calls `ref()` of all members: their pending asynchronous waits keep the process alive, as they do by default. */
  ref(): this
  /** Calls `unref()` of all members: the process may end although asynchronous waits for them are pending. */
  unref(): this
}

/** A state: its members by their names, and {@link StateMembers}. */
export type SharedState<S extends StateSchema = StateSchema> = StateMembers & ObjectsOf<S>

/** Names that members cannot have: those of {@link StateMembers}, now or in later versions, and those that JavaScript uses. */
const RESERVED = [
  ...['name', 'handle', 'toJSON', 'close', 'unlink', 'ref', 'unref', 'snapshot', 'update', 'memberCount'],
  ...['then', 'constructor', '__proto__'],
]

/** The constructor of {@link SharedState}. */
export interface SharedStateConstructor {
  /**
   * Makes an anonymous state; other processes attach to it through its `handle`.
   * @throws `TypeError` for an invalid schema; the errors of the constructors of its members; {@link ShareError} `ENOSPC`,
   * `ENOMEM`, `EMFILE` when the system has no room.
   */
  new <const S extends StateSchema>(schema: S, options?: SegmentOptions): SharedState<S>
  /** Makes a state of that name. @throws {@link ShareError} `EEXIST` when the name exists; otherwise as the constructor. */
  create<const S extends StateSchema>(name: string, schema: S, options?: SegmentOptions): SharedState<S>
  /**
   * Attaches to a state by name or handle. Without a schema, the segment tells which members it has.
   * @throws {@link ShareError} `ERR_LAYOUT`, which names the first difference, when its members are not those of the schema;
   * otherwise as {@link SharedMemory.attach}.
   */
  attach<const S extends StateSchema>(target: string | Handle, schema: S, options?: AttachOptions): SharedState<S>
  attach<Objects extends object = Readonly<Record<string, Shareable & Disposable>>>(
    target: string | Handle,
  ): StateMembers & Objects
  /**
   * Attaches to the state of that name, or creates it. Of several calls at the same time, exactly one creates it.
   * @throws {@link ShareError} `ERR_LAYOUT`, which names the first difference, when it exists with other members.
   */
  open<const S extends StateSchema>(name: string, schema: S, options?: SegmentOptions): SharedState<S>
}

/** The form of the name of a member that is an element of an array. No other member can have such a name. */
const ELEMENT = /^(?<base>.*)\[(?<index>0|[1-9]\d*)\]$/s

/** A member of a schema with its name. An element of an array of members has a name such as `workers[0]`. */
type NamedMember = readonly [name: string, member: Member<Disposable>]

/** The part of a state that exists only in this process: the arguments of the caller. */
interface Local {
  readonly schema: readonly NamedMember[] | undefined
  readonly attachOptions: AttachOptions | undefined
}

/** The members of a schema, which is read once. @throws `TypeError` for an invalid schema. */
function membersIn(schema: unknown): NamedMember[] {
  if (typeof schema !== 'object' || schema === null) throw typeError('schema', 'an object of members', schema)
  const named: NamedMember[] = []
  for (const [name, given] of Object.entries(schema)) {
    if (RESERVED.includes(name)) {
      throw valueError('schema', `an object without the reserved member name "${name}"`, schema)
    }
    if (ELEMENT.test(name)) throw valueError('schema', `an object without names such as "${name}"`, schema)
    if (!Array.isArray(given)) {
      named.push([name, assertedMember(name, given)])
      continue
    }
    if (given.length === 0) throw valueError(`schema.${name}`, 'an array with at least one member', given)
    for (const [index, element] of given.entries()) {
      const elementName = `${name}[${index}]`
      named.push([elementName, assertedMember(elementName, element)])
    }
  }
  assertMemberLocks(named)
  return named
}

function assertedMember(name: string, given: unknown): Member<Disposable> {
  if (given instanceof Member) return given
  throw typeError(`schema.${name}`, "a member, such as Value('i') without new", given)
}

/** Asserts that a member which uses the lock of another member names one that has a lock. */
function assertMemberLocks(named: readonly NamedMember[]): void {
  for (const [name, { spec }] of named) {
    const wanted = lockMember(spec.description.lock)
    if (wanted === undefined) continue
    const withLock = named.filter((each) => lockKind(each[1].spec.description) !== undefined).map(([each]) => each)
    if (withLock.includes(wanted)) continue
    const expected = `the name of a member that has a lock (${withLock.join(', ') || 'there is none'})`
    throw valueError(`options.lock.member of schema.${name}`, expected, wanted)
  }
}

/** Each member begins a new cache line in the payload and in the cells, so that members do not slow each other down. */
function stateSpec(given: StateSchema, givenOptions?: SegmentOptions): KindSpec<Local> {
  const options = takeSegmentOptions(givenOptions)
  const schema = membersIn(given)
  let cellsBytes = 0
  let payloadBytes = 0
  const members: MemberEntry[] = []
  for (const [name, { spec }] of schema) {
    members.push({ name, cell: cellsBytes, byteOffset: payloadBytes, description: spec.description })
    cellsBytes += alignCell(Math.max(spec.cellsBytes, 1)) // at least one, because the offset of the cell identifies a member
    payloadBytes += alignCell(spec.payloadBytes ?? 0)
  }
  return {
    description: { kind: 'SharedState', members },
    cellsBytes,
    payloadBytes,
    hasWords: schema.some(([, { spec }]) => spec.hasWords),
    initialise: (segment) => {
      for (const [index, { cell, byteOffset }] of members.entries()) {
        schema[index]![1].spec.initialise(segment, cell, byteOffset)
      }
    },
    check: (_found, segment) => checkMembers(segment, schema),
    options,
    local: { schema, attachOptions: undefined },
  }
}

function attachSpec(given?: StateSchema, options?: AttachOptions): AttachSpec<Local> {
  const attachOptions = takeAttachOptions(options)
  const schema = given === undefined ? undefined : membersIn(given)
  return {
    options: attachOptions,
    check: (_found, segment) => (schema === undefined ? undefined : checkMembers(segment, schema)),
    local: { schema, attachOptions },
  }
}

/** @throws {@link ShareError} `ERR_LAYOUT` that names the first difference. */
function checkMembers(segment: Segment, schema: readonly NamedMember[]): undefined {
  const differs = (difference: SchemaDifference): ShareError =>
    segmentError('ERR_LAYOUT', { segment: segment.name, difference })
  const members = membersOf(segment)
  for (const [index, [name, { spec }]] of schema.entries()) {
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
  const extra = members[schema.length]
  if (extra !== undefined) throw differs({ what: 'extra', member: extra.name })
}

/**
 * The members in the description of the segment, which any process may have written. Each property of the state has one entry, or
 * an array of entries.
 * @throws {@link ShareError} `ERR_CORRUPT` for names that a state never gives; `ERR_LAYOUT` for kinds that this version lacks.
 */
function propertiesOf(segment: Segment): Map<string, MemberEntry | MemberEntry[]> {
  const properties = new Map<string, MemberEntry | MemberEntry[]>()
  const isSound = (entry: MemberEntry): boolean => {
    const { base, index } = ELEMENT.exec(entry.name)?.groups ?? {}
    const name = base ?? entry.name
    const found = properties.get(name)
    if (Array.isArray(found) && found.length === Number(index)) return found.push(entry) > 0
    if (found !== undefined || RESERVED.includes(name) || Number(index ?? 0) !== 0) return false
    properties.set(name, index === undefined ? entry : [entry])
    return true
  }
  const members = membersOf(segment)
  if (!members.every(isSound)) throw segmentError('ERR_CORRUPT', { segment: segment.name })
  if (!members.every(({ description }) => memberKind(description.kind) !== undefined))
    throw segmentError('ERR_LAYOUT', { segment: segment.name })
  return properties
}

/** The methods that all kinds of members have. */
interface StateMember extends Disposable {
  ref(): unknown
  unref(): unknown
}

class State {
  readonly #attachment: Attachment
  readonly #members: StateMember[] = []
  readonly #names: string[] = []

  constructor({ attachment }: Placement, local: Local | undefined) {
    this.#attachment = attachment
    const make = (entry: MemberEntry): StateMember => {
      const member = makeMember(attachment.segment, entry, this.#members.length, local)
      this.#members.push(member)
      return member
    }
    try {
      for (const [name, entry] of propertiesOf(attachment.segment)) {
        const value = Array.isArray(entry) ? Object.freeze(entry.map(make)) : make(entry)
        defineProperty(this, name, { value, enumerable: true })
        this.#names.push(name)
      }
    } catch (error) {
      for (const member of this.#members) member[Symbol.dispose]()
      throw error
    }
    registerShareable(this, true)
  }

  get name(): string {
    return this.#attachment.name
  }

  get memberCount(): number {
    return this.#attachment.memberCount
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
    return inspected(`${nameOf(subject)} { ${this.#names.join(', ')} }`, closed, () => undefined)
  }
}

/** Makes the object of a member by the schema, or by the description if there is no schema. */
function makeMember(segment: Segment, entry: MemberEntry, index: number, local: Local | undefined): StateMember {
  const { description, cell, byteOffset, byteEnd } = entry
  const attachment = new Attachment(segment, description.kind)
  const member = local?.schema?.[index]?.[1]
  if (member !== undefined) {
    return member.construct(new Placement(attachment, cell, description, byteOffset, byteEnd)) as StateMember
  }
  const kind = memberKind(description.kind)!
  const spec = kind.spec(local?.attachOptions)
  try {
    return kind.construct(placementOf(attachment, entry, spec.check), spec.local) as StateMember
  } catch (error) {
    attachment.close()
    throw error
  }
}

/**
 * Many named objects in one segment, so that an application has all of its shared objects under one name.
 *
 * @remarks Members are made by calling the classes without `new`. Each works like a separate object and has a handle, but no
 * segment of its own. Every process that opens the state must pass the same schema: names, order and types are compared.
 * `close` closes all members.
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
export const SharedState = defineKind({
  name: 'SharedState',
  Class: State,
  spec: stateSpec,
  attachSpec,
  reviveSpec: (options) => attachSpec(undefined, options),
  isMember: false,
}) as unknown as SharedStateConstructor
