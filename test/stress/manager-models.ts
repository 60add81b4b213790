/**
 * What the objects of a manager that clients wait for should do, as sequential programs would: plain arrays, one step at a time.
 * `outcomes[id]` says what became of call `id`, and `WAITS` of those that have not been answered.
 */

export const WAITS = 'waits'

/** A client's move, whatever a model makes of the numbers. */
export interface Move {
  readonly seat: number
  readonly verb: number
  readonly size: number
}

export interface Step {
  readonly method: string
  readonly args: readonly unknown[]
  readonly task?: number
}

export abstract class Model {
  readonly outcomes: string[] = []

  /** What to call in the server. */
  abstract step(move: Move): Step
  /** What that comes to. */
  abstract begin(id: number, seat: number, step: Step): void
  /** The call gives up; only of one that waits. */
  abstract cancel(id: number): void
  /** The client is gone. Its calls that have not been answered never will be. */
  abstract leave(seat: number): void

  protected forget<T extends { id: number; seat: number }>(line: T[], seat: number): T[] {
    for (const one of line) if (one.seat === seat) this.outcomes[one.id] = 'gone'
    return line.filter((one) => one.seat !== seat)
  }
}

interface InLine {
  readonly id: number
  readonly seat: number
}

export class LockModel extends Model {
  readonly #isRecursive: boolean
  #owner: { seat: number; task: number; depth: number } | undefined
  #isAbandoned = false
  #line: (InLine & { task: number })[] = []

  constructor(isRecursive: boolean) {
    super()
    this.#isRecursive = isRecursive
  }

  step({ verb, size }: Move): Step {
    const task = size % 2
    const steps = [
      { method: 'acquire', args: [], task },
      { method: 'acquire', args: [undefined, [(size + 1) % 2]], task },
      { method: 'tryAcquire', args: [], task },
      { method: 'release', args: [], task },
      { method: 'release', args: [], task },
      { method: 'locked', args: [] },
    ]
    return steps[verb % steps.length]!
  }

  begin(id: number, seat: number, { method, args, task = 0 }: Step): void {
    const within = (method === 'acquire' ? args[1] : []) as number[] | undefined
    const owner = this.#owner
    const isOwner = owner?.seat === seat && (owner.task === task || (within ?? []).includes(owner.task))
    if (method === 'locked') this.outcomes[id] = String(owner !== undefined)
    else if (method === 'release') this.#release(id, isOwner)
    else if (owner === undefined) this.#take({ id, seat, task })
    else if (isOwner && this.#isRecursive) {
      owner.depth++
      this.outcomes[id] = 'granted'
    } else if (method === 'tryAcquire') this.outcomes[id] = 'undefined'
    else if (isOwner) this.outcomes[id] = 'ERR_DEADLOCK'
    else {
      this.outcomes[id] = WAITS
      this.#line.push({ id, seat, task })
    }
  }

  cancel(id: number): void {
    this.#line = this.#line.filter((one) => one.id !== id)
    this.outcomes[id] = 'Cancelled'
  }

  leave(seat: number): void {
    this.#line = this.forget(this.#line, seat)
    if (this.#owner?.seat !== seat) return
    this.#isAbandoned = true
    this.#next()
  }

  #release(id: number, isOwner: boolean): void {
    if (this.#owner === undefined || (this.#isRecursive && !isOwner)) {
      this.outcomes[id] = 'ERR_NOT_OWNER'
      return
    }
    this.outcomes[id] = 'undefined'
    if (--this.#owner.depth === 0) this.#next()
  }

  #next(): void {
    this.#owner = undefined
    const first = this.#line.shift()
    if (first !== undefined) this.#take(first)
  }

  #take({ id, seat, task }: InLine & { task: number }): void {
    this.#owner = { seat, task, depth: 1 }
    this.outcomes[id] = this.#isAbandoned ? 'granted, abandoned' : 'granted'
    this.#isAbandoned = false
  }
}

export class SemaphoreModel extends Model {
  readonly #limit: number
  readonly #isRecoverable: boolean
  #value: number
  /** The seat that has each unit; who has had some for longest comes first. */
  #holders: { seat: number; units: number }[] = []
  #line: InLine[] = []

  constructor(value: number, limit: number, isRecoverable: boolean) {
    super()
    this.#value = value
    this.#limit = limit
    this.#isRecoverable = isRecoverable
  }

  step({ verb, size }: Move): Step {
    const units = 1 + (size % 3)
    const steps = [
      { method: 'acquire', args: [] },
      { method: 'acquire', args: [] },
      { method: 'tryAcquire', args: [] },
      { method: 'release', args: [1] },
      { method: 'release', args: [units] },
      { method: 'value', args: [] },
    ]
    return steps[verb % steps.length]!
  }

  begin(id: number, seat: number, { method, args }: Step): void {
    if (method === 'value') this.outcomes[id] = String(this.#value)
    else if (method === 'release') this.#release(id, seat, args[0] as number)
    else if (this.#value > 0) {
      this.#take(seat)
      this.outcomes[id] = method === 'acquire' ? 'undefined' : 'true'
    } else if (method === 'tryAcquire') this.outcomes[id] = 'false'
    else {
      this.outcomes[id] = WAITS
      this.#line.push({ id, seat })
    }
  }

  cancel(id: number): void {
    this.#line = this.#line.filter((one) => one.id !== id)
    this.outcomes[id] = 'Cancelled'
  }

  leave(seat: number): void {
    this.#line = this.forget(this.#line, seat)
    const units = this.#holders.find((holder) => holder.seat === seat)?.units ?? 0
    this.#holders = this.#holders.filter((holder) => holder.seat !== seat)
    if (this.#isRecoverable) this.#give(units)
  }

  #release(id: number, seat: number, units: number): void {
    if (this.#value + units > this.#limit) {
      this.outcomes[id] = 'ERR_OVER_RELEASE'
      return
    }
    this.outcomes[id] = 'undefined'
    for (let i = 0; i < units; i++) {
      const holder = this.#holders.find((one) => one.seat === seat) ?? this.#holders[0]
      if (holder === undefined) break
      holder.units--
      this.#holders = this.#holders.filter((one) => one.units > 0)
    }
    this.#give(units)
  }

  #take(seat: number): void {
    this.#value--
    const holder = this.#holders.find((one) => one.seat === seat)
    if (holder === undefined) this.#holders.push({ seat, units: 1 })
    else holder.units++
  }

  #give(units: number): void {
    this.#value += units
    while (this.#value > 0 && this.#line.length > 0) {
      const { id, seat } = this.#line.shift()!
      this.#take(seat)
      this.outcomes[id] = 'undefined'
    }
  }
}

export class QueueModel extends Model {
  readonly #maxSize: number
  #items: number[] = []
  #getters: (InLine & { most: number | undefined })[] = []
  #putters: (InLine & { values: number[] })[] = []
  #hasEnded = false
  #lastItem = 0

  constructor(maxSize: number) {
    super()
    this.#maxSize = maxSize
  }

  step({ verb, size }: Move): Step {
    const item = ++this.#lastItem
    const items = Array.from({ length: size % 4 }, (_, i) => item + i / 10)
    const steps = [
      { method: 'put', args: [item] },
      { method: 'put', args: [item] },
      { method: 'tryPut', args: [item] },
      { method: 'putMany', args: [items] },
      { method: 'get', args: [] },
      { method: 'get', args: [] },
      { method: 'tryGet', args: [] },
      { method: 'getMany', args: [1 + (size % 3)] },
      { method: size === 7 ? 'end' : 'size', args: [] },
    ]
    return steps[verb % steps.length]!
  }

  begin(id: number, seat: number, { method, args }: Step): void {
    switch (method) {
      case 'size':
        this.outcomes[id] = String(this.#items.length)
        break
      case 'end':
        this.#hasEnded = true
        for (const { id: waiting } of [...this.#getters, ...this.#putters]) this.outcomes[waiting] = 'ERR_ENDED'
        this.#getters = []
        this.#putters = []
        this.outcomes[id] = 'undefined'
        break
      case 'put':
      case 'tryPut':
      case 'putMany':
        this.#put(id, seat, method, (method === 'putMany' ? args[0] : [args[0]]) as number[])
        break
      default:
        this.#get(id, seat, method, args[0] as number | undefined)
    }
    this.#serve()
  }

  cancel(id: number): void {
    this.#getters = this.#getters.filter((one) => one.id !== id)
    this.#putters = this.#putters.filter((one) => one.id !== id)
    this.outcomes[id] = 'Cancelled'
    this.#serve()
  }

  leave(seat: number): void {
    this.#getters = this.forget(this.#getters, seat)
    const before = this.#putters
    this.#putters = this.forget(before, seat)
    this.#serve()
  }

  #put(id: number, seat: number, method: string, values: number[]): void {
    const room = this.#maxSize - this.#items.length
    if (this.#hasEnded) this.outcomes[id] = 'ERR_ENDED'
    else if (values.length > this.#maxSize) this.outcomes[id] = 'ERR_LIMIT'
    else if (this.#putters.length === 0 && values.length <= room) {
      this.#items.push(...values)
      this.outcomes[id] = method === 'tryPut' ? 'true' : 'undefined'
    } else if (method === 'tryPut') this.outcomes[id] = 'false'
    else {
      this.outcomes[id] = WAITS
      this.#putters.push({ id, seat, values })
    }
  }

  #get(id: number, seat: number, method: string, most: number | undefined): void {
    if (this.#items.length > 0) this.#give(id, method === 'tryGet' ? 'try' : most)
    else if (this.#hasEnded) this.outcomes[id] = 'ERR_ENDED'
    else if (method === 'tryGet') this.outcomes[id] = 'undefined'
    else {
      this.outcomes[id] = WAITS
      this.#getters.push({ id, seat, most })
    }
  }

  #give(id: number, most: number | undefined | 'try'): void {
    if (typeof most === 'number') this.outcomes[id] = JSON.stringify(this.#items.splice(0, most))
    else this.outcomes[id] = JSON.stringify(most === 'try' ? { value: this.#items.shift() } : this.#items.shift())
  }

  #serve(): void {
    for (;;) {
      const putter = this.#putters[0]
      if (this.#items.length > 0 && this.#getters.length > 0) {
        const { id, most } = this.#getters.shift()!
        this.#give(id, most)
      } else if (putter !== undefined && this.#items.length + putter.values.length <= this.#maxSize) {
        this.#items.push(...putter.values)
        this.#putters.shift()
        this.outcomes[putter.id] = 'undefined'
      } else {
        return
      }
    }
  }
}

export class BarrierModel extends Model {
  readonly #parties: number
  #line: InLine[] = []
  #isBroken = false
  #acting: InLine | undefined
  #door: (InLine & { acts: boolean })[] = []
  #generation = 0

  constructor(parties: number) {
    super()
    this.#parties = parties
  }

  step({ verb, size }: Move): Step {
    const steps = [
      { method: 'wait', args: [undefined, false] },
      { method: 'wait', args: [undefined, false] },
      { method: 'wait', args: [undefined, true] },
      { method: 'finish', args: [this.#generation] },
      { method: size < 3 ? 'fail' : 'finish', args: [this.#generation] },
      { method: size < 2 ? 'abort' : size < 5 ? 'reset' : 'broken', args: [] },
      { method: 'reset', args: [] },
    ]
    return steps[verb % steps.length]!
  }

  begin(id: number, seat: number, { method, args }: Step): void {
    this.outcomes[id] = 'undefined'
    const acts = this.#acting?.seat === seat
    if (method === 'broken') this.outcomes[id] = String(this.#isBroken)
    else if (method === 'abort') this.#break()
    else if (method === 'reset') this.#reset()
    else if (method === 'fail') {
      if (acts) this.#break()
    } else if (method === 'finish') {
      if (acts) this.#finish()
      else this.outcomes[id] = 'ERR_BROKEN_BARRIER'
    } else if (this.#isBroken) this.outcomes[id] = 'ERR_BROKEN_BARRIER'
    else if (this.#acting === undefined) this.#arrive({ id, seat }, args[1] === true)
    else {
      this.outcomes[id] = WAITS
      this.#door.push({ id, seat, acts: args[1] === true })
    }
  }

  cancel(id: number): void {
    const isInLine = this.#line.some((one) => one.id === id)
    this.#line = this.#line.filter((one) => one.id !== id)
    this.#door = this.#door.filter((one) => one.id !== id)
    this.outcomes[id] = 'Cancelled'
    if (isInLine) this.#break()
  }

  leave(seat: number): void {
    const isInvolved = this.#acting?.seat === seat || this.#line.some((one) => one.seat === seat)
    this.#line = this.forget(this.#line, seat)
    this.#door = this.forget(this.#door, seat)
    if (isInvolved) this.#break()
  }

  #arrive(one: InLine, acts: boolean): void {
    const index = this.#line.length
    if (index + 1 < this.#parties) {
      this.outcomes[one.id] = WAITS
      this.#line.push(one)
    } else if (acts) {
      this.#acting = one
      this.#generation++
      this.outcomes[one.id] = JSON.stringify({ index, generation: this.#generation })
    } else {
      this.#trip()
      this.outcomes[one.id] = String(index)
    }
  }

  #trip(): void {
    for (const [place, { id }] of this.#line.entries()) this.outcomes[id] = String(place)
    this.#line = []
  }

  #finish(): void {
    this.#acting = undefined
    this.#trip()
    this.#admit()
  }

  #break(): void {
    this.#isBroken = true
    this.#acting = undefined
    for (const { id } of [...this.#line, ...this.#door]) this.outcomes[id] = 'ERR_BROKEN_BARRIER'
    this.#line = []
    this.#door = []
  }

  #reset(): void {
    this.#isBroken = false
    this.#acting = undefined
    for (const { id } of this.#line) this.outcomes[id] = 'ERR_BROKEN_BARRIER'
    this.#line = []
    this.#admit()
  }

  #admit(): void {
    while (this.#acting === undefined && this.#door.length > 0) {
      const { acts, ...one } = this.#door.shift()!
      this.#arrive(one, acts)
    }
  }
}

interface Lining extends InLine {
  /** What it gets together with the lock. */
  readonly outcome: string
  readonly isNotified: boolean
}

/** A condition with a recursive lock of its own: the seats are its owners. */
export class ConditionModel extends Model {
  #owner: number | undefined
  #isAbandoned = false
  #line: Lining[] = []
  #waits: InLine[] = []

  step({ verb, size }: Move): Step {
    const steps = [
      { method: 'acquire', args: [] },
      { method: 'acquire', args: [] },
      { method: 'release', args: [] },
      { method: 'release', args: [] },
      { method: 'wait', args: [] },
      { method: 'wait', args: [] },
      { method: 'notify', args: [size % 3] },
      { method: 'notify', args: [Infinity] },
    ]
    return steps[verb % steps.length]!
  }

  begin(id: number, seat: number, { method, args }: Step): void {
    const isOwner = this.#owner === seat
    if (method === 'release') {
      this.outcomes[id] = isOwner ? 'undefined' : 'ERR_NOT_OWNER'
      if (isOwner) this.#next()
    } else if (method === 'acquire') {
      if (isOwner) this.outcomes[id] = 'granted'
      else this.#getInLine({ id, seat, outcome: 'granted', isNotified: false })
      if (isOwner) this.#depths.set(seat, this.#depth(seat) + 1)
    } else if (!isOwner) {
      this.outcomes[id] = 'ERR_NOT_OWNER'
    } else if (method === 'wait') {
      this.outcomes[id] = WAITS
      this.#waits.push({ id, seat })
      this.#suspended.set(id, this.#depth(seat))
      this.#depths.set(seat, 1)
      this.#next()
    } else {
      this.outcomes[id] = String(this.#notify(args[0] as number))
    }
  }

  cancel(id: number): void {
    const waiting = this.#waits.find((one) => one.id === id)
    if (waiting !== undefined) {
      this.#waits = this.#waits.filter((one) => one !== waiting)
      this.#getInLine({ ...waiting, outcome: 'Cancelled', isNotified: false })
      return
    }
    // Who has been notified, or has given up before, comes back with the lock; only an acquisition is given up.
    const acquiring = this.#line.find((one) => one.id === id && one.outcome === 'granted')
    if (acquiring === undefined) return
    this.#line = this.#line.filter((one) => one !== acquiring)
    this.outcomes[id] = 'Cancelled'
  }

  leave(seat: number): void {
    this.#waits = this.forget(this.#waits, seat)
    const lost = this.#line.filter((one) => one.seat === seat && one.isNotified).length
    this.#line = this.forget(this.#line, seat)
    if (this.#owner === seat) {
      this.#isAbandoned = true
      this.#depths.set(seat, 1)
      this.#next()
    }
    this.#depths.delete(seat)
    this.#notify(lost)
  }

  readonly #depths = new Map<number, number>()
  /** How deep the hold was that a wait has let go of. */
  readonly #suspended = new Map<number, number>()

  #depth(seat: number): number {
    return this.#depths.get(seat) ?? 1
  }

  #notify(count: number): number {
    const notified = this.#waits.splice(0, count)
    for (const { id, seat } of notified) this.#getInLine({ id, seat, outcome: 'true', isNotified: true })
    return notified.length
  }

  #getInLine(one: Lining): void {
    this.outcomes[one.id] = WAITS
    this.#line.push(one)
    if (this.#owner === undefined) this.#grant()
  }

  #next(): void {
    const owner = this.#owner!
    const depth = this.#depth(owner)
    if (depth > 1) {
      this.#depths.set(owner, depth - 1)
      return
    }
    this.#owner = undefined
    this.#grant()
  }

  #grant(): void {
    const first = this.#line.shift()
    if (first === undefined) return
    this.#owner = first.seat
    this.#depths.set(first.seat, this.#suspended.get(first.id) ?? 1)
    this.outcomes[first.id] = first.outcome
    if (first.outcome !== 'granted' || !this.#isAbandoned) return
    this.#isAbandoned = false
    this.outcomes[first.id] = 'granted, abandoned'
  }
}
