/**
 * Members of a SharedState: what `Value('i')`, called without `new`, gives. A member says how an object is made in a segment that it shares
 * with others, and makes the object when the segment is there.
 */
import { typeError, valueError } from '../validate.ts'
import type { Placement, PlacementSpec } from './placement.ts'
import { SEGMENT_OPTIONS, type SegmentOptions } from './segment.ts'

/**
 * What is read of a member by a program that takes it for an object. Methods need no mention: a call of what is not there is an error by
 * itself.
 */
const isValue = (key: string | symbol): key is string =>
  key === 'value' || (typeof key === 'string' && /^\d+$/.test(key))

function mistaken(member: Member<unknown>, key: string | symbol): TypeError {
  const { className } = member
  const advice = `${className}(…) without new describes a member of a SharedState and holds nothing`
  return typeError(String(key), `a property of new ${className}(…)`, member, advice)
}

/**
 * An object that a {@link SharedState} is to have: what a class gives that is called like a function. It holds nothing itself: setting a
 * property of it, and reading its `value` or an index, is a `TypeError`.
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

// What a member does not have is looked for at the end of the prototype chain.
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

/** The options of a member: whether and how a segment persists is the state's affair. */
export type MemberOptions<Options extends SegmentOptions> = Omit<Options, keyof SegmentOptions>

/** Of a member that has none. */
export type NoOptions = Readonly<Record<string, never>>

/** @param options - a copy of what the caller gave */
export function assertMemberOptions(options: SegmentOptions): void {
  for (const key of SEGMENT_OPTIONS) {
    if (Object.hasOwn(options, key)) {
      throw valueError(`options.${key}`, 'passed to the SharedState instead of a member', options[key])
    }
  }
}
