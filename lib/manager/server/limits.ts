/** What a server allows its clients, so that none of them can harm it or the others. */
import { managerError } from '../../errors/manager-messages.ts'
import { assertInteger, assertOptions } from '../../validate.ts'

/** What the server of a {@link Manager} allows. */
export interface ManagerLimits {
  /** Clients at a time, those that have not proved yet that they know the key included. @defaultValue 4096 */
  readonly clients?: number
  /** Clients at a time that have not proved yet that they know the key. @defaultValue 1024 */
  readonly unauthenticated?: number
  /** Milliseconds that a client may take to prove it. @defaultValue 5000 */
  readonly authenticateMs?: number
  /** Bytes of one message, in either direction; at least 64 KiB. @defaultValue 64 MiB */
  readonly frameBytes?: number
  /** Calls of one client that have not been answered. One more is refused with `ERR_LIMIT`. @defaultValue 20,000 */
  readonly pendingCalls?: number
  /** Objects for which one client has proxies. One more is refused with `ERR_LIMIT`. @defaultValue 100,000 */
  readonly objects?: number
  /**
   * Bytes of replies that wait for one client to read them; at least 1 MiB. From an eighth of it on, nothing more is read from that
   * client until it has read; a client with more, when there is another reply for it, is cut off.
   * @defaultValue 256 MiB
   */
  readonly bufferedBytes?: number
  /** Milliseconds that a client may take to send more of a message, or to read any of what waits for it. @defaultValue 30,000 */
  readonly stallMs?: number
}

export type Limits = Required<ManagerLimits>

const MIB = 2 ** 20
/** Room for what the server says of itself and for errors; and more than a socket takes without saying when it has left. */
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

/** The limits with their defaults. @throws `TypeError`, `RangeError` for what no limit can be. */
export function limitsOf(options: ManagerLimits = {}): Limits {
  assertOptions('options.limits', options, Object.keys(DEFAULTS))
  const limits = { ...DEFAULTS, ...options }
  for (const [key, value] of Object.entries(limits)) {
    const minimum = MINIMUM[key as keyof Limits] ?? 1
    assertInteger(`options.limits.${key}`, value, minimum, key.endsWith('Bytes') ? 2 ** 32 - 1 : 2 ** 31 - 1)
  }
  return limits
}

/**
 * What one call can make the server do at once, whatever a client asks for: a server serves one call at a time, and memory beyond what
 * the engine has for one object ends the process. Beyond a limit a call is refused with `ERR_LIMIT`. docs/guide/managers.md has the same table.
 */
export const OPERATIONS = {
  /** Items, entries or members of one container, or in a queue: fewer than the engine's maps have room for. */
  items: 2 ** 24 - 16,
  /** Bytes of a managed array. */
  arrayBytes: 2 ** 30,
  /** Milliseconds that an operation which looks at many values may take: searching, sorting, comparing, transactions, showing all. */
  searchMs: 2000,
  /** Values inside of one that is compared with others, those that occur twice counted twice. */
  comparedValues: 2 ** 18,
  /** Values inside of one that is shown in full; of a larger one the outer layers are. */
  shownValues: 2 ** 12,
  /** Milliseconds of the calls of one client after which other clients have their turn. */
  turnMs: 20,
} as const

/** @throws {@link ShareError} `ERR_LIMIT` when a container would have more than it can. */
export function assertItems(type: string, count: number): void {
  if (count <= OPERATIONS.items) return
  throw managerError('ERR_LIMIT', { type, limit: 'items', count, max: OPERATIONS.items })
}

/** The time of an operation that looks at many values. */
export class Stopwatch {
  readonly #until = performance.now() + OPERATIONS.searchMs
  #steps = 0

  /** One step is done; the clock is looked at every now and then. @throws {@link ShareError} `ERR_LIMIT`. */
  step(): void {
    if ((++this.#steps & 255) === 0) this.look()
  }

  look(): void {
    if (performance.now() <= this.#until) return
    throw managerError('ERR_LIMIT', { limit: 'call time', max: OPERATIONS.searchMs })
  }
}
