/** Time that processes of one machine can compare, and a check whether the machine stalled. */

/** Node's is the system's monotonic clock; that of Bun and Deno begins with the process. */
const hrtimeBeginsHere = 'Bun' in globalThis || 'Deno' in globalThis

/** Milliseconds on a clock that is the same in all processes. The same as in peer.mjs. */
export function now(): number {
  return hrtimeBeginsHere ? performance.timeOrigin + performance.now() : Number(process.hrtime.bigint()) / 1e6
}

const TICK_MS = 5

/** Records how late the timers of this process are: timers of other processes can hardly be better. */
export class StallWatch implements Disposable {
  #last = now()
  #worst = 0
  readonly #timer = setInterval(() => this.#tick(), TICK_MS)

  /** The longest time that a timer was late since the last call. */
  worstMs(): number {
    this.#tick()
    const worst = this.#worst
    this.#worst = 0
    return worst
  }

  #tick(): void {
    const time = now()
    this.#worst = Math.max(this.#worst, time - this.#last - TICK_MS)
    this.#last = time
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
