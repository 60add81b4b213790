/**
 * Kinds: each kind of shared object has one definition. It defines the class that programs use (`new`, `create`, `attach`,
 * `open`), and the member of a SharedState (a call without `new`).
 * It also defines how to attach by a handle or by the description of a segment.
 *
 * docs/internals/adding-a-kind.md explains how to add one.
 */
import { defineProperty } from '../define-property.ts'
import { typeError } from '../validate.ts'
import type { Handle } from './handle.ts'
import { assertMemberOptions, Member } from './member.ts'
import { attachPlacement, createPlacement, openPlacement, type Placement, type PlacementSpec } from './placement.ts'
import { type AttachOptions, type SegmentOptions, takeAttachOptions } from './segment.ts'
import { assertedName } from './segment-name.ts'
import { registerKind, type Shareable } from './shareable.ts'

/** The specification of a new object. */
export interface KindSpec<Local> extends PlacementSpec {
  /** A checked copy of the caller's options. */
  readonly options: SegmentOptions
  /** The part of the object that exists only in this process, such as the action of a barrier. */
  readonly local?: Local | undefined
}

/** The specification of an object to attach to. */
export interface AttachSpec<Local> {
  /** A checked copy of the caller's options. */
  readonly options: AttachOptions | undefined
  /** See {@link PlacementSpec.check}. */
  readonly check?: PlacementSpec['check']
  readonly local?: Local | undefined
}

export interface KindDefinition<
  T,
  Given extends unknown[],
  MemberGiven extends unknown[],
  AttachGiven extends unknown[],
  Local,
> {
  /** The name of the class. */
  readonly name: string
  /** The kind in descriptions and handles. @defaultValue `name`, which is then registered */
  readonly kind?: string
  /** Makes the object at a placement. When it throws, the placement is closed. */
  readonly Class: new (
    placement: Placement,
    local: Local | undefined,
  ) => T
  /** Converts the arguments of `new` to a specification. Throws for wrong arguments. */
  spec(...given: Given): KindSpec<Local>
  /** Converts the arguments of a member to a specification. @defaultValue `spec` */
  memberSpec?(...given: MemberGiven): KindSpec<Local>
  /** Converts the arguments of `attach` after the first. @defaultValue {@link AttachOptions} are the only argument */
  attachSpec?(...given: AttachGiven): AttachSpec<Local>
  /** The specification for a handle whose type is not known in advance. @defaultValue `attachSpec(options)` */
  reviveSpec?(options: AttachOptions | undefined): AttachSpec<Local>
  /** Finds the placement to attach to. @defaultValue {@link attachPlacement} */
  place?(target: string | Handle, options: AttachOptions | undefined): Placement
  /** Whether a SharedState can have members of this kind. @defaultValue `true` */
  readonly isMember?: boolean
  /** Whether memory that procshare did not make can be attached to. @defaultValue `false` */
  readonly isForeign?: boolean
}

/**
 * The class of a kind of shared objects.
 *
 * @typeParam Given - the arguments of the constructor
 * @typeParam MemberGiven - the arguments of a call without `new`, which makes a member of a {@link SharedState}
 */
export interface SharedClass<
  T,
  Given extends unknown[],
  MemberGiven extends unknown[],
  AttachGiven extends unknown[] = [options?: AttachOptions],
> {
  /**
   * Makes an anonymous object; other processes attach to it through its `handle`.
   * @throws `TypeError`, `RangeError` for wrong arguments; {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no
   * room.
   */
  new (...given: Given): T
  /** Makes an object of that name. @throws {@link ShareError} `EEXIST` when the name exists; otherwise as the constructor. */
  create(name: string, ...given: Given): T
  /** Attaches by name or handle. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  attach(target: string | Handle, ...given: AttachGiven): T
  /**
   * Attaches to the object of that name, or creates it. Of several processes that do so at once, exactly one creates it.
   * @throws {@link ShareError} `ERR_TYPE` when it exists and was made with other arguments; otherwise as `create` (except
   * `EEXIST`) and `attach` (except `ENOENT`).
   */
  open(name: string, ...given: Given): T
  /** Describes a member of a {@link SharedState}. */
  (...given: MemberGiven): Member<T>
  readonly prototype: T
}

/** Makes the class of a kind, and registers the kind. */
export function defineKind<
  T,
  Given extends unknown[],
  MemberGiven extends unknown[] = Given,
  AttachGiven extends unknown[] = [options?: AttachOptions],
  Local = undefined,
>(
  definition: KindDefinition<T, Given, MemberGiven, AttachGiven, Local>,
): SharedClass<T, Given, MemberGiven, AttachGiven> {
  const { name, kind = name, Class, place, isMember = true, isForeign } = definition
  const { spec } = definition
  const memberSpec = definition.memberSpec ?? (spec as unknown as NonNullable<typeof definition.memberSpec>)
  const attachSpec: (...given: AttachGiven) => AttachSpec<Local> =
    definition.attachSpec ?? ((...given) => ({ options: takeAttachOptions(given[0] as AttachOptions | undefined) }))
  const reviveSpec = definition.reviveSpec ?? (attachSpec as NonNullable<typeof definition.reviveSpec>)

  /** @param newTarget - a class of the program that extends this one */
  const construct = (placement: Placement, local: Local | undefined, newTarget?: unknown): T => {
    try {
      if (newTarget === undefined) return new Class(placement, local)
      return Reflect.construct(Class, [placement, local], newTarget as new () => unknown)
    } catch (error) {
      placement.attachment.abandon()
      throw error
    }
  }
  const attach = (target: string | Handle, { options, check, local }: AttachSpec<Local>): T =>
    construct(place?.(target, options) ?? attachPlacement(kind, target, options, check, isForeign), local)

  const KindClass = function (...given: never[]): T | Member<T> {
    if (new.target === undefined) return describe(...(given as unknown[] as MemberGiven))
    const made = spec(...(given as unknown[] as Given))
    const placement = createPlacement(undefined, made, made.options)
    return construct(placement, made.local, (new.target as unknown) === KindClass ? undefined : new.target)
  } as unknown as SharedClass<T, Given, MemberGiven, AttachGiven>

  const describe = (...given: MemberGiven): Member<T> => {
    if (!isMember) throw typeError(name, 'called with new', given)
    const made = memberSpec(...given)
    assertMemberOptions(made.options)
    return new Member(name, made, (placement) => construct(placement, made.local))
  }

  const statics = {
    create(objectName: string, ...given: Given): T {
      const chosen = assertedName(objectName)
      const made = spec(...given)
      return construct(createPlacement(chosen, made, made.options), made.local)
    },
    attach: (target: string | Handle, ...given: AttachGiven): T => attach(target, attachSpec(...given)),
    open(objectName: string, ...given: Given): T {
      const chosen = assertedName(objectName)
      const made = spec(...given)
      return construct(openPlacement(chosen, made, made.options), made.local)
    },
  }
  for (const [key, value] of Object.entries({ name, prototype: Class.prototype, ...statics })) {
    defineProperty(KindClass, key, { value })
  }
  defineProperty(Class.prototype, 'constructor', { value: KindClass, configurable: true })
  Object.setPrototypeOf(KindClass, Class) // for its static properties, above all Symbol.hasInstance
  if (kind === name) {
    registerKind(kind, {
      attach: (handle, options) => attach(handle, reviveSpec(options)) as Shareable,
      member: isMember ? { spec: reviveSpec, construct } : undefined,
    })
  }
  return KindClass
}
