/**
 * Measures subjects in rounds. Each round has one turn of every subject (A B C A B C …), so other load on the machine
 * affects all of them alike. Only ratios within a round are compared.
 */

/**
 * Many short turns instead of few long ones. A turn is shorter than a time slice, so most turns are not interrupted, and the
 * median is the cost of the work, also on a busy machine.
 */
const ROUNDS = 201
const TURN_MS = 2
const WARM_UP_MS = 300
const FIRST_REQUEST = 60
/** Every request is a multiple of this, so the members of a team and the values of a program share it evenly. */
const GRAIN = 60

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

function roundUp(operations) {
  return Math.max(1, Math.ceil(operations / GRAIN)) * GRAIN
}

/** Asks one subject for operations and checks its counter. */
class Contestant {
  #entry
  #asked = 0
  #operations
  nsPerOperation = []
  isExact = true

  constructor(entry) {
    this.#entry = entry
    this.#operations = entry.operations ?? FIRST_REQUEST
  }

  /** Runs until V8 has compiled the code, and determines the number of operations per turn. */
  async warmUp() {
    const { turnMs = TURN_MS, warmUpMs = WARM_UP_MS, operations } = this.#entry
    let spentNs = 0
    for (;;) {
      const ns = (await this.#request(this.#operations)).ns
      spentNs += ns
      const fits = operations !== undefined || ns >= (turnMs * 1e6) / 4
      if (fits && spentNs >= warmUpMs * 1e6) {
        if (operations === undefined) this.#operations = roundUp((this.#operations * turnMs * 1e6) / ns)
        return
      }
      if (!fits) this.#operations *= 2
    }
  }

  async turn() {
    this.nsPerOperation.push((await this.#request(this.#operations)).ns / this.#operations)
  }

  async #request(operations) {
    const timing = await this.#entry.process.request(operations)
    this.#asked += operations
    if (this.#entry.exact && timing.counter !== this.#asked) this.isExact = false
    return timing
  }
}

/**
 * @param entries - {process, turnMs?, warmUpMs?, operations?, exact?}: `operations` fixes the size of a turn, otherwise it takes about
 *   turnMs; with `exact` the counter must be the number of all operations that were asked for
 * @returns per entry {ns, ratioTo(other), isExact}: medians over the rounds
 */
export async function measure(entries, rounds = ROUNDS) {
  const contestants = entries.map((entry) => new Contestant(entry))
  for (const contestant of contestants) await contestant.warmUp()
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) await contestant.turn()
  }
  return contestants.map(({ nsPerOperation, isExact }) => ({
    ns: median(nsPerOperation),
    isExact,
    /** The ratio of the time of an operation to that of `other`. */
    ratioTo: (other) => median(nsPerOperation.map((ns, round) => ns / contestants[other].nsPerOperation[round])),
  }))
}
