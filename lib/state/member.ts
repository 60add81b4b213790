/**
 * Members of a SharedState: what `Value('i')`, called without `new`, gives. A member says how the object is made in a segment
 * that it shares with others, and makes the object when the segment is there.
 */
import { SEGMENT_OPTIONS, type SegmentOptions } from '../memory/segment.ts'
import type { Site, SiteSpec } from '../memory/site.ts'
import { assertOptions, valueError } from '../validate.ts'

/**
 * An object that a {@link SharedState} is to have: what a class gives that is called like a function.
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
  readonly spec: SiteSpec
  /** @internal */
  readonly adopt: (site: Site) => T

  /** @internal */
  constructor(spec: SiteSpec, adopt: (site: Site) => T) {
    this.spec = spec
    this.adopt = adopt
  }
}

/** The options of a member: whether and how a segment persists is the state's affair. */
export type MemberOptions<Options extends SegmentOptions> = Omit<Options, keyof SegmentOptions>

export function assertMemberOptions(options: unknown): void {
  for (const key of SEGMENT_OPTIONS) {
    if (typeof options === 'object' && options !== null && key in options) {
      throw valueError(`options.${key}`, 'passed to the SharedState instead of a member', options)
    }
  }
}

/** Of members that have no options. */
export function assertNoOptions([options]: readonly unknown[]): void {
  assertMemberOptions(options)
  assertOptions('options', options, [])
}

/** A class that can be called like a function, too, and makes a member then. */
export function callable<Class extends object, Call>(Class: Class, makeMember: Call): Class & Call {
  return new Proxy(Class, {
    apply: (_target, _self, args: unknown[]) => (makeMember as (...args: unknown[]) => unknown)(...args),
  }) as Class & Call
}
