/**
 * Members of a SharedState: a call without `new`, such as `Value('i')`, returns one. A member specifies how an object is made in
 * a segment that it shares with other objects. It makes the object when the segment exists.
 */
import { typeError, valueError } from '../validate.ts'
import type { Placement, PlacementSpec } from './placement.ts'
import { SEGMENT_OPTIONS, type SegmentOptions } from './segment.ts'

/**
 * Properties that a program reads if it confuses a member with an object. Methods need not be listed, because a call of a missing
 * method is an error anyway.
 */
const isValue = (key: string | symbol): key is string =>
  key === 'value' || (typeof key === 'string' && /^\d+$/.test(key))

function mistaken(member: Member<unknown>, key: string | symbol): TypeError {
  const { className } = member
  const advice = `${className}(…) without new describes a member of a SharedState and holds nothing`
  return typeError(String(key), `a property of new ${className}(…)`, member, advice)
}

/**
 * Describes an object of a {@link SharedState}. A class that is called as a function returns it. A member has no value of its
 * own: setting a property of it, or reading its `value` or an index, is a `TypeError`.
 *
 * @example
 * ```ts
 * import { type Member, Value } from 'procshare'
 * const hits: Member<Value<'i'>> = Value('i')
 * console.assert(typeof hits === 'object')
 * ```
 */
export class Member<out T> {
  /** @internal */
  readonly className: string
  /** @internal */
  readonly spec: PlacementSpec
  /** @internal */
  readonly construct: (placement: Placement) => T

  /** @internal */
  constructor(className: string, spec: PlacementSpec, construct: (placement: Placement) => T) {
    this.className = className
    this.spec = spec
    this.construct = construct
    Object.freeze(this)
  }
}

// JavaScript looks up properties that a member does not have at the end of the prototype chain.
Object.setPrototypeOf(
  Member.prototype,
  new Proxy(
    {},
    {
      get(target, key, member: Member<unknown>) {
        if (isValue(key)) throw mistaken(member, key)
        return Reflect.get(target, key, member)
      },
      set(_target, key, _value, member: Member<unknown>) {
        throw mistaken(member, key)
      },
    },
  ),
)

/** The options of a member. The options of the segment are those of the state. */
export type MemberOptions<Options extends SegmentOptions> = Omit<Options, keyof SegmentOptions>

/** The options of a member that has none. */
export type NoOptions = Readonly<Record<string, never>>

/** @param options - a copy of the caller's options */
export function assertMemberOptions(options: SegmentOptions): void {
  for (const key of SEGMENT_OPTIONS) {
    if (Object.hasOwn(options, key)) {
      throw valueError(`options.${key}`, 'passed to the SharedState instead of a member', options[key])
    }
  }
}
