/** What makes an object shared: its brand, its kind, and attach(), with which a handle becomes the object again. */
import { PACKAGE_PATH } from '../entries.ts'
import { segmentError } from '../errors/segment-messages.ts'
import { typeError } from '../validate.ts'
import { type Handle, isHandle } from './handle.ts'
import type { Placement, PlacementSpec } from './placement.ts'
import { type AttachOptions, type HeldHandle, heldHandle } from './segment.ts'
import { makeUncloneable } from './uncloneable.ts'

/** Something that other processes can attach to by its handle. */
export interface Shareable {
  readonly handle: Handle
}

/**
 * What the classes of shared objects carry in every copy of this package, and in every realm: npm may install two copies, and a test
 * runner may load one twice. The number is that of this agreement between copies.
 */
const BRAND = Symbol.for('procshare.shareable@1')

/** Which copy an object is of. */
interface Brand {
  /** Where the copy is. */
  readonly path: string
}

const OWN_BRAND: Brand = { path: PACKAGE_PATH }

/**
 * The name of a method of all shared objects that returns a {@link HeldHandle} for a child process of this package. Such a handle is not
 * public: for an object of a manager it says how to connect to the server. Part of the agreement between copies.
 */
export const FOR_CHILD: unique symbol = Symbol.for('procshare.forChild@1') as never

function holdForChild(this: Shareable): HeldHandle {
  return heldHandle(() => this.handle)
}

/** What is known of a kind of object by its name. */
export interface RegisteredKind {
  /** Makes the object again from a handle. */
  attach(handle: Handle, options?: AttachOptions): Shareable
  /** The same from the description of a {@link SharedState}; undefined when it can have none of this kind. */
  readonly member?: RegisteredMember | undefined
}

export interface RegisteredMember {
  spec(options: AttachOptions | undefined): {
    readonly check?: PlacementSpec['check']
    readonly local?: unknown
  }
  construct(placement: Placement, local: unknown): unknown
}

const kinds = new Map<string, RegisteredKind>()
const shareables = new WeakSet<object>()

/** Makes a kind of object known to {@link attach}. */
export function registerKind(name: string, kind: RegisteredKind): void {
  kinds.set(name, kind)
}

/** What a SharedState can have by that name. */
export function memberKind(name: string): RegisteredMember | undefined {
  return kinds.get(name)?.member
}

/** Makes an object known to {@link isShareable}, and an attempt to copy it an error: see {@link makeUncloneable}. */
export function registerShareable(object: object, hasPublicKeys = false): void {
  shareables.add(object)
  makeUncloneable(object, hasPublicKeys)
  const prototype = Object.getPrototypeOf(object) as object
  if (Object.hasOwn(prototype, BRAND)) return
  Object.defineProperty(prototype, BRAND, { value: OWN_BRAND })
  // Whatever copy asks for the handle: only that of the object can hold it.
  if (!(FOR_CHILD in prototype)) Object.defineProperty(prototype, FOR_CHILD, { value: holdForChild })
}

/** Where the copy of this package is that `value` is a shared object of; undefined when it is one of ours, or none at all. */
export function otherCopyOf(value: object): string | undefined {
  const brand = (value as { readonly [BRAND]?: Brand })[BRAND]
  return brand === undefined || brand === OWN_BRAND ? undefined : String(brand.path)
}

/** @throws {@link ShareError} `ERR_OTHER_COPY` for a shared object of another copy of this package. */
export function assertOwnCopy(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  const path = otherCopyOf(value)
  if (path === undefined) return
  throw segmentError('ERR_OTHER_COPY', { argument: name, path, ownPath: PACKAGE_PATH })
}

/** The handle of an object for a child process, with a hold on the object, whatever copy of the package it is of. */
export function handleForChild(object: Shareable): HeldHandle {
  return (object as unknown as { [FOR_CHILD](): HeldHandle })[FOR_CHILD]()
}

/** Whether `value` is a shared object, of this copy of the package or another one, which travels as its handle. */
export function isShareable(value: unknown): value is Shareable {
  if (typeof value !== 'object' || value === null) return false
  return shareables.has(value) || (otherCopyOf(value) !== undefined && isHandle((value as Shareable).handle))
}

/**
 * Attaches to whatever a handle describes. The type of the object is what the caller says: `attach<Value<'i'>>(handle)`.
 *
 * @throws `TypeError` for something that is not a handle; {@link ShareError} as the `attach` of its kind does.
 * @example
 * ```ts
 * import { attach, Value } from 'procshare'
 * using counter = new Value('i', 7)
 * const text = JSON.stringify(counter) // to another process, somehow
 * using same = attach<Value<'i'>>(JSON.parse(text))
 * console.assert(same.value === 7)
 * ```
 */
export function attach<T extends Shareable = Shareable>(handle: Handle, options?: AttachOptions): T {
  if (!isHandle(handle)) throw typeError('handle', 'a handle of a shared object', handle)
  const kind = kinds.get(handle.kind)
  if (kind === undefined) throw typeError('handle.kind', `one of ${[...kinds.keys()].join(', ')}`, handle.kind)
  return kind.attach(handle, options) as T
}
