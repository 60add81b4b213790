export interface Exception {
  readonly file: string
  readonly tests?: readonly string[]
  readonly reason: string
  readonly skip?: true
}

export function exceptionFor(runtime: string, file: string, name?: string): Exception | undefined
export function exceptionsIn(runtime: string, file: string): string[]
export function allExceptions(): Exception[]
