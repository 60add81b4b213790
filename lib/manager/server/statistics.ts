/** Counters of a server: requests, failures, clients, and the time of requests that do not wait. */

/** Microseconds within which 50 and 99 of a hundred requests are served, rounded up to a power of two, and the maximum. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

const BUCKETS = 32

export class Statistics {
  calls = 0
  failures = 0
  accepted = 0
  refused = 0
  cutOff = 0
  /** The number of requests that took less than 2^i microseconds. */
  readonly #buckets = new Float64Array(BUCKETS)
  #timed = 0
  #maxUs = 0

  /** Counts a reply and its time; requests that waited are not timed. */
  note(started: number | undefined, hasFailed: boolean): void {
    this.calls++
    if (hasFailed) this.failures++
    if (started === undefined) return
    const us = (performance.now() - started) * 1000
    this.#timed++
    if (us > this.#maxUs) this.#maxUs = us
    this.#buckets[Math.min(BUCKETS - 1, us < 1 ? 0 : Math.ceil(Math.log2(us)))]!++
  }

  get latency(): Latency {
    return { p50: this.#percentile(0.5), p99: this.#percentile(0.99), max: Math.round(this.#maxUs) }
  }

  #percentile(part: number): number {
    let seen = 0
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#buckets[i]!
      if (seen >= this.#timed * part && seen > 0) return 2 ** i
    }
    return 0
  }
}
