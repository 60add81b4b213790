/** When a client continues in shared memory, and how it offers that to the server: docs/internals/manager-protocol.md. */
import type { Handle } from '../../memory/handle.ts'
import { Pipe, type Connection as PipeEnd, type PipeEnds } from '../../queue/pipe.ts'
import { RING_BYTES } from '../wire/ring-transport.ts'

/** A client that makes HOT_CALLS requests within HOT_MS moves to rings. */
const HOT_CALLS = 64
const HOT_MS = 1000

/** Detects a client that makes many requests. */
export class Pace {
  #calls = 0
  #since = 0

  /** Counts a request. Returns true once, when requests are frequent. */
  isHot(): boolean {
    if (this.#calls === Infinity || ++this.#calls % HOT_CALLS !== 1) return false
    const now = performance.now()
    const isHot = this.#calls > 1 && now - this.#since < HOT_MS
    this.#since = now
    if (isHot) this.#calls = Infinity
    return isHot
  }
}

/**
 * Makes rings and offers their other end to the server.
 * @returns this side's end; undefined without room for rings, or when the server cannot attach
 */
export async function offerRings(
  offer: (theirs: Handle) => Promise<unknown>,
): Promise<PipeEnd<Uint8Array> | undefined> {
  let ends: PipeEnds<Uint8Array>
  try {
    ends = new Pipe<Uint8Array>({ byteLength: RING_BYTES })
  } catch {
    return undefined
  }
  const [ours, theirs] = ends
  const isTaken = await offer(theirs.handle).catch(() => false)
  theirs.close()
  if (isTaken === true) return ours // its transport has called unref()
  ours.close()
  return undefined
}
