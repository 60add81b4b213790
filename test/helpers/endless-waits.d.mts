/** A way to wait for ever. */
export interface EndlessWait {
  readonly make: () => unknown
  readonly wait: (object: never, options?: { timeoutMs: number }) => Promise<unknown>
  readonly waitSync?: (object: never) => unknown
  /** @defaultValue true */
  readonly hasTimeout?: boolean
}

export declare const ENDLESS_WAITS: Record<string, EndlessWait>
