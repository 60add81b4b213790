/** Limits of clients and of single requests, so that no client can harm the server or other clients. */
import { managerError } from '../../errors/manager-messages.ts'
import { assertInteger, takeOptions } from '../../validate.ts'

/** The limits of the server of a {@link Manager}. */
export interface ManagerLimits {
  /** Clients at a time, including those that have not yet authenticated. @defaultValue 4096 */
  readonly clients?: number
  /** Clients at a time that have not yet authenticated. @defaultValue 1024 */
  readonly unauthenticated?: number
  /** Milliseconds that a client may take to authenticate. @defaultValue 5000 */
  readonly authenticateMs?: number
  /** Bytes of one message, in either direction; at least 64 KiB. @defaultValue 64 MiB */
  readonly frameBytes?: number
  /** Pending calls of one client. One more is refused with `ERR_LIMIT`. @defaultValue 20,000 */
  readonly pendingCalls?: number
  /** Objects for which one client has proxies. One more is refused with `ERR_LIMIT`. @defaultValue 100,000 */
  readonly objects?: number
  /**
   * Bytes of replies that one client has not read; at least 1 MiB. Above an eighth of the limit, the server reads nothing more from that
   * client until all replies are sent. A client above the limit is disconnected at the next reply.
   * @defaultValue 256 MiB
   */
  readonly bufferedBytes?: number
  /** Milliseconds that a client may pause within a message, or while replies wait for it. @defaultValue 30,000 */
  readonly stallMs?: number
}

export type Limits = Required<ManagerLimits>

const MIB = 2 ** 20
/**
 * A frame must have room for a welcome or an error. The buffer must be larger than the number of bytes that a socket accepts without a
 * later drain event.
 */
const MINIMUM: Partial<Limits> = { frameBytes: 64 * 1024, bufferedBytes: MIB }
const DEFAULTS: Limits = {
  clients: 4096,
  unauthenticated: 1024,
  authenticateMs: 5000,
  frameBytes: 64 * MIB,
  pendingCalls: 20_000,
  objects: 100_000,
  bufferedBytes: 256 * MIB,
  stallMs: 30_000,
}

/** The limits with their defaults. @throws `TypeError`, `RangeError` for a value that cannot be a limit. */
export function limitsOf(options?: ManagerLimits): Limits {
  const keys = Object.keys(DEFAULTS) as (keyof ManagerLimits)[]
  const limits = { ...DEFAULTS, ...takeOptions('options.limits', options, keys) }
  for (const [key, value] of Object.entries(limits)) {
    const minimum = MINIMUM[key as keyof Limits] ?? 1
    assertInteger(`options.limits.${key}`, value, minimum, key.endsWith('Bytes') ? 2 ** 32 - 1 : 2 ** 31 - 1)
  }
  return limits
}

/**
 * The limits of one request. A server serves one request at a time, and an object that is too large for the engine ends the process.
 * A request beyond a limit is refused with `ERR_LIMIT`. docs/guide/managers.md has the same limits.
 */
export const OPERATIONS = {
  /** Items, entries or members of one container or queue. The engine's maps have room for more. */
  items: 2 ** 24 - 16,
  /** Bytes of a managed array. */
  arrayBytes: 2 ** 30,
  /** Milliseconds of an operation over many values: searching, sorting, comparing, transactions, `debugInfo`. */
  searchMs: 2000,
  /** Values inside a compared value; a value that occurs twice counts twice. */
  comparedValues: 2 ** 18,
  /** Values inside a value that is shown in full. Only the outer layers of a larger value are shown. */
  shownValues: 2 ** 12,
  /** Milliseconds for which requests of one client are served before those of other clients. */
  turnMs: 20,
} as const

/** @throws {@link ShareError} `ERR_LIMIT` when a container would have more than `OPERATIONS.items`. */
export function assertItems(type: string, count: number): void {
  if (count <= OPERATIONS.items) return
  throw managerError('ERR_LIMIT', { type, limit: 'items', count, max: OPERATIONS.items })
}

/** Limits the time of an operation over many values to `OPERATIONS.searchMs`. */
export class Stopwatch {
  readonly #until = performance.now() + OPERATIONS.searchMs
  #steps = 0

  /** Counts one step, and checks the time at every 256th step. @throws {@link ShareError} `ERR_LIMIT`. */
  step(): void {
    if ((++this.#steps & 255) === 0) this.look()
  }

  look(): void {
    if (performance.now() <= this.#until) return
    throw managerError('ERR_LIMIT', { limit: 'call time', max: OPERATIONS.searchMs })
  }
}
