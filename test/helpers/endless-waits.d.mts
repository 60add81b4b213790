/** A way to wait for ever. */
export interface EndlessWait {
  readonly make: () => unknown
  readonly wait: (object: never) => Promise<unknown>
  readonly waitSync?: (object: never) => unknown
}

export declare const ENDLESS_WAITS: Record<string, EndlessWait>
