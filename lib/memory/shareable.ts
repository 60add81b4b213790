/** Shared objects: their brand, the registry of their kinds, and attach(), which makes an object from a handle. */
import { defineProperty } from '../define-property.ts'
import { PACKAGE_PATH } from '../entries.ts'
import { segmentError } from '../errors/segment-messages.ts'
import { typeError } from '../validate.ts'
import { type Handle, isHandle } from './handle.ts'
import type { Placement, PlacementSpec } from './placement.ts'
import { type AttachOptions, type HeldHandle, heldHandle } from './segment.ts'
import { makeUncloneable } from './uncloneable.ts'

/** An object that other processes can attach to by its handle. */
export interface Shareable {
  readonly handle: Handle
}

/**
 * The brand of the classes of shared objects. It is the same in every copy of this package and in every realm: npm may install
 * two copies, and a test runner may load one copy twice. The number is the version of this agreement between copies.
 */
const BRAND = Symbol.for('procshare.shareable@1')

/** The copy of the package to which an object belongs. */
interface Brand {
  /** The folder of the copy. */
  readonly path: string
}

const OWN_BRAND: Brand = { path: PACKAGE_PATH }

/**
 * The name of a method of all shared objects that returns a {@link HeldHandle} for a child process of this package. Such a handle
 * is not public: that of a managed object contains the data to connect to the server. The name is part of the agreement between
 * copies.
 */
export const FOR_CHILD: unique symbol = Symbol.for('procshare.forChild@1') as never

function holdForChild(this: Shareable): HeldHandle {
  return heldHandle(() => this.handle)
}

/** The entry of a kind of object in the registry. */
export interface RegisteredKind {
  /** Attaches to the object of a handle. */
  attach(handle: Handle, options?: AttachOptions): Shareable
  /** Makes a member from the description of a {@link SharedState}; undefined when a state cannot have members of this kind. */
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

/** Registers a kind of object for {@link attach}. */
export function registerKind(name: string, kind: RegisteredKind): void {
  kinds.set(name, kind)
}

/** The kind of that name, if a SharedState can have members of it. */
export function memberKind(name: string): RegisteredMember | undefined {
  return kinds.get(name)?.member
}

/**
 * Registers an object for {@link isShareable}, and makes an attempt to copy it an error: see {@link makeUncloneable}.
 */
export function registerShareable(object: object, hasPublicKeys = false): void {
  shareables.add(object)
  makeUncloneable(object, hasPublicKeys)
  const prototype = Object.getPrototypeOf(object) as object
  if (Object.hasOwn(prototype, BRAND)) return
  defineProperty(prototype, BRAND, { value: OWN_BRAND })
  // Any copy may ask for the handle, but only the copy of the object can hold the object.
  if (!(FOR_CHILD in prototype)) defineProperty(prototype, FOR_CHILD, { value: holdForChild })
}

/**
 * The folder of the other copy of this package to which `value` belongs; undefined for objects of this copy and for other values.
 */
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

/** The handle of an object for a child process, with a hold on the object. The object may belong to any copy of the package. */
export function handleForChild(object: Shareable): HeldHandle {
  return (object as unknown as { [FOR_CHILD](): HeldHandle })[FOR_CHILD]()
}

/** Whether `value` is a shared object of any copy of the package. Such an object travels as its handle. */
export function isShareable(value: unknown): value is Shareable {
  if (typeof value !== 'object' || value === null) return false
  return shareables.has(value) || (otherCopyOf(value) !== undefined && isHandle((value as Shareable).handle))
}

/**
 * Attaches to the object of a handle, of any kind. The caller declares the type of the object: `attach<Value<'i'>>(handle)`.
 *
 * @throws `TypeError` for a value that is not a handle; {@link ShareError} as the `attach` of its kind.
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
