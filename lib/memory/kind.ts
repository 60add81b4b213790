/**
 * Kinds: one definition for each kind of shared object. It gives the class that programs use (`new`, `create`, `attach`, `open`), the member
 * of a SharedState (a call without `new`), and what makes the object again from a handle or from the description of a segment.
 *
 * docs/internals/adding-a-kind.md walks through one.
 */
import { typeError } from '../validate.ts'
import type { Handle } from './handle.ts'
import { assertMemberOptions, Member } from './member.ts'
import { attachPlacement, createPlacement, openPlacement, type Placement, type PlacementSpec } from './placement.ts'
import { type AttachOptions, type SegmentOptions, takeAttachOptions } from './segment.ts'
import { assertedName } from './segment-name.ts'
import { registerKind, type Shareable } from './shareable.ts'

/** What is to be made. */
export interface KindSpec<Local> extends PlacementSpec {
  /** Of the caller: a copy, checked. */
  readonly options: SegmentOptions
  /** What belongs to the object in this process only, such as the action of a barrier. */
  readonly local?: Local | undefined
}

/** What is to be attached to. */
export interface AttachSpec<Local> {
  /** Of the caller: a copy, checked. */
  readonly options: AttachOptions | undefined
  /** As that of a {@link PlacementSpec}. */
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
  /** What the class is called. */
  readonly name: string
  /** What descriptions and handles say. @defaultValue `name`, which is registered then */
  readonly kind?: string
  /** Makes the object at a placement. When it throws, the placement is closed. */
  readonly Class: new (
    placement: Placement,
    local: Local | undefined,
  ) => T
  /** What the arguments of `new` ask for. Throws for arguments that are wrong. */
  spec(...given: Given): KindSpec<Local>
  /** The same for a member. @defaultValue `spec` */
  memberSpec?(...given: MemberGiven): KindSpec<Local>
  /** What the arguments of `attach` after the first ask for. @defaultValue {@link AttachOptions} are the only argument */
  attachSpec?(...given: AttachGiven): AttachSpec<Local>
  /** The same for a handle of which the type is not known in advance. @defaultValue `attachSpec(options)` */
  reviveSpec?(options: AttachOptions | undefined): AttachSpec<Local>
  /** Finds the placement to attach to. @defaultValue {@link attachPlacement} */
  place?(target: string | Handle, options: AttachOptions | undefined): Placement
  /** Whether a SharedState can have one. @defaultValue `true` */
  readonly isMember?: boolean
  /** Whether memory that procshare did not make can be attached to. @defaultValue `false` */
  readonly isForeign?: boolean
}

/**
 * The class of a kind of shared objects.
 *
 * @typeParam Given - the arguments of the constructor
 * @typeParam MemberGiven - those of a call without `new`, which makes a member of a {@link SharedState}
 */
export interface SharedClass<
  T,
  Given extends unknown[],
  MemberGiven extends unknown[],
  AttachGiven extends unknown[] = [options?: AttachOptions],
> {
  /**
   * Makes an anonymous object; other processes attach to it through its `handle`.
   * @throws `TypeError`, `RangeError` for arguments that are wrong; {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no
   * room.
   */
  new (...given: Given): T
  /** Makes an object of that name. @throws {@link ShareError} `EEXIST` when there is one; otherwise as the constructor. */
  create(name: string, ...given: Given): T
  /** Attaches by name or handle. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  attach(target: string | Handle, ...given: AttachGiven): T
  /**
   * Attaches to the object of that name, or creates it: of many processes that do so at once exactly one creates.
   * @throws {@link ShareError} `ERR_TYPE` when it exists and was made with other arguments; otherwise as `create` (but for `EEXIST`) and
   * `attach` (but for `ENOENT`).
   */
  open(name: string, ...given: Given): T
  /** Describes a member of a {@link SharedState}. */
  (...given: MemberGiven): Member<T>
  readonly prototype: T
}

/** Makes the class of a kind, and makes the kind known. */
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

  /** @param newTarget - the class of a program that extends ours */
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
    Object.defineProperty(KindClass, key, { value })
  }
  Object.defineProperty(Class.prototype, 'constructor', { value: KindClass, configurable: true })
  Object.setPrototypeOf(KindClass, Class) // what is static there, Symbol.hasInstance above all
  if (kind === name) {
    registerKind(kind, {
      attach: (handle, options) => attach(handle, reviveSpec(options)) as Shareable,
      member: isMember ? { spec: reviveSpec, construct } : undefined,
    })
  }
  return KindClass
}
