type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** `exactly<number>()(value)` compiles when the type of `value` is `number`: nothing wider, nothing narrower, not `any`. */
export declare function exactly<Expected>(): <Actual>(
  value: Actual,
  ...same: Same<Expected, Actual> extends true ? [] : [expected: Expected, butItIs: Actual]
) => void
