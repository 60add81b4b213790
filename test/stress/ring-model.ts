/** The model of a ring of items: what a queue and each direction of a pipe are. */
import assert from 'node:assert/strict'
import { firstOf, firstOfEach, type Seat, type Wait } from './cast.ts'
import { withoutThoseOf } from './model.ts'

/** What was put at once, as far as it is still there. */
interface Group {
  readonly seat: Seat
  readonly items: string[]
  /** When: groups of different seats that came in the same step may be in any order. */
  readonly step: number
  /** Whether some of it has been taken: the rest comes next, for nothing lies in between. */
  opened: boolean
}

interface Put {
  readonly wait: Wait
  readonly items: readonly string[]
}

export class RingModel {
  readonly #fits: (present: readonly string[], more: readonly string[]) => boolean
  #groups: Group[] = []
  #puts: Put[] = []
  #gets: Wait[] = []
  #step = 0
  #accepted = 0

  /** @param fits - whether there is room for more */
  constructor(fits: (present: readonly string[], more: readonly string[]) => boolean) {
    this.#fits = fits
  }

  get length(): number {
    return this.#present().length
  }

  /** How many items were ever put. */
  get accepted(): number {
    return this.#accepted
  }

  get puts(): Wait[] {
    return this.#puts.map(({ wait }) => wait)
  }

  get gets(): readonly Wait[] {
    return this.#gets
  }

  /** Whether a process need not wait with these: they fit, and no earlier ones of its own are in line. */
  hasRoomFor(seat: Seat, items: readonly string[]): boolean {
    return this.#fits(this.#present(), items) && !this.#puts.some(({ wait }) => wait.seat === seat)
  }

  /** A process has put something: those are served who wait for that. */
  async put(seat: Seat, items: readonly string[]): Promise<void> {
    this.#step++
    this.#enter(seat, items)
    await this.#serveGets()
  }

  /** Items have been taken, one after the other: those are served who wait for room. */
  async take(items: readonly string[]): Promise<void> {
    this.#step++
    for (const item of items) this.#leave(item)
    await this.#servePuts()
  }

  awaitRoom(wait: Wait, items: readonly string[]): void {
    this.#puts.push({ wait, items })
  }

  awaitItem(wait: Wait): void {
    this.#gets.push(wait)
  }

  /** The process of the seat waits no more. */
  lose(seat: Seat): void {
    this.#puts = this.#puts.filter(({ wait }) => wait.seat !== seat)
    this.#gets = withoutThoseOf(seat, this.#gets)
  }

  /** Those who put, one process or all, fail. */
  async failPuts(code: string, of?: Seat): Promise<void> {
    const failing = this.#puts.filter(({ wait }) => of === undefined || wait.seat === of)
    this.#puts = this.#puts.filter((put) => !failing.includes(put))
    for (const { wait } of failing) await wait.fails(code)
  }

  /** Those who take, one process or all, fail. */
  async failGets(code: string, of?: Seat): Promise<void> {
    const failing = this.#gets.filter(({ seat }) => of === undefined || seat === of)
    this.#gets = this.#gets.filter((wait) => !failing.includes(wait))
    for (const wait of failing) await wait.fails(code)
  }

  async #serveGets(): Promise<void> {
    const shares: string[][] = []
    for (let left = this.length; left > 0 && this.#gets.length > 0; left -= shares.at(-1)!.length) {
      const { wait, value } = await firstOf<string | string[]>(
        firstOfEach(this.#gets, ({ seat }) => seat),
        'an item',
      )
      this.#gets.splice(this.#gets.indexOf(wait), 1)
      shares.push([value].flat())
    }
    // Who has got what is told in any order.
    while (shares.length > 0) {
      const next = shares.findIndex(([item]) => this.#groupOf(item!) !== undefined)
      assert.notEqual(next, -1, `out of order: ${JSON.stringify(shares)} of ${this.#present()}`)
      for (const item of shares.splice(next, 1)[0]!) this.#leave(item)
    }
  }

  async #servePuts(): Promise<void> {
    for (;;) {
      const fitting = firstOfEach(this.#puts, ({ wait }) => wait.seat).filter(({ items }) =>
        this.#fits(this.#present(), items),
      )
      if (fitting.length === 0) return
      const waits = fitting.map(({ wait }) => wait)
      const { wait } = await firstOf(waits, 'room')
      const served = this.#puts.findIndex((put) => put.wait === wait)
      const [{ items }] = this.#puts.splice(served, 1) as [Put]
      this.#enter(wait.seat, items)
    }
  }

  #present(): string[] {
    return this.#groups.flatMap(({ items }) => items)
  }

  #enter(seat: Seat, items: readonly string[]): void {
    this.#groups.push({ seat, items: [...items], step: this.#step, opened: false })
    this.#accepted += items.length
  }

  #leave(item: string): void {
    const group = this.#groupOf(item)
    assert.ok(group !== undefined, `${item} came out of order: ${this.#present()}`)
    group.items.shift()
    group.opened = true
    const others = this.#groups.filter((other) => other !== group)
    this.#groups = group.items.length > 0 ? [group, ...others] : others
  }

  /** The group that begins with the item, if that may come next. */
  #groupOf(item: string): Group | undefined {
    const [first] = this.#groups
    if (first?.opened) return first.items[0] === item ? first : undefined
    const together = this.#groups.filter(({ step }) => step === first?.step)
    return firstOfEach(together, ({ seat }) => seat).find(({ items }) => items[0] === item)
  }
}
