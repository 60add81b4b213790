/**
 * The actor behind a party: it attaches to objects by their handles and performs steps on them. The same code in a child
 * process, in a worker, and as one of many tasks of the test itself; plain JavaScript, because Node 20 runs it, too.
 *
 * A step is plain data: { do: 'call', on: handle, method, args } and so on, see the methods of Actor. Within arguments,
 * { '@guard': number } is a guard that an earlier step has got, { '@object': handle } an object, { '@signal': number } the
 * signal of a step that can be aborted, and { '@reads': handle, equals, gives, looks } a function that compares a shared value,
 * and counts in another how often it was asked, { '@adds': handle } one that counts, { '@pauses': name } one that takes its
 * time, { '@throws': message } one that throws.
 */
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { threadId } from 'node:worker_threads'
import * as procshare from 'procshare'

const library = new Map(Object.entries(procshare))

/** Whether a step may block the thread. */
const isBlocking = ({ do: what, method }) =>
  (what === 'call' && blocks(method)) || (what === 'word' && method === 'wait')

/** Whether a method blocks its thread. */
const blocks = (method) => method.endsWith('Sync')

/** What a step has come to, as plain data. */
export function failure(error) {
  if (!(error instanceof Error)) return { error: { name: 'NotAnError', message: String(error), thrown: error } }
  const { name, code, message } = error
  return { error: { name, code, message } }
}

export class Actor {
  #objects = new Map()
  #guards = new Map()
  #controllers = new Map()
  #pauses = new Map()
  #lastGuard = 0
  #started = new Map()
  #exit

  /** @param exit - ends the party */
  constructor(exit) {
    this.#exit = exit
  }

  /** Process, thread. */
  whoAreYou() {
    return { pid: process.pid, threadId }
  }

  /** Performs a step and gives what it has come to. */
  async perform(step) {
    try {
      return { value: this.#plain(await this.#perform(step)) }
    } catch (error) {
      return failure(error)
    }
  }

  /**
   * Begins a step. When this is answered, an asynchronous one waits already, for the library enters the line in the call
   * itself; a blocking one is about to be called.
   */
  start(id, step) {
    const outcome = isBlocking(step) ? turn().then(() => this.perform(step)) : this.perform(step)
    this.#started.set(id, outcome)
  }

  /** What a started step has come to, when it has. */
  async outcomeOf(id) {
    const outcome = await this.#started.get(id)
    this.#started.delete(id)
    return outcome
  }

  abort(signal, reason) {
    this.#controllerOf(signal).abort(reason)
  }

  /** Lets a pause end. */
  resume(name) {
    this.#pauseOf(name).open()
  }

  /** Everything that a case has left is given back; says how many guards there were. */
  reset() {
    for (const { open } of this.#pauses.values()) open()
    const left = [...this.#guards.values()].filter((guard) => !guard.released)
    for (const guard of left) guard.release()
    for (const object of this.#objects.values()) object.close()
    this.#guards.clear()
    this.#controllers.clear()
    this.#pauses.clear()
    this.#objects.clear()
    this.#started.clear()
    return left.length
  }

  exit(code) {
    return this.#exit(code)
  }

  #perform(step) {
    switch (step.do) {
      case 'call':
        return this.#attached(step.on)[step.method](...this.#revive(step.args))
      case 'get':
        return this.#attached(step.on)[step.property]
      case 'new': {
        const Kind = library.get(step.kind)
        const object = new Kind(...this.#revive(step.args))
        try {
          return step.property === undefined ? undefined : object[step.property]
        } finally {
          object.close()
        }
      }
      case 'guard': {
        const guard = this.#guards.get(step.guard)
        return step.method in guard && typeof guard[step.method] === 'function'
          ? guard[step.method]()
          : guard[step.method]
      }
      case 'inside':
        return this.#inside(step)
      case 'pause':
        return this.#pauseOf(step.name).opened
      case 'throw':
        throw new RangeError(step.message)
      case 'tally':
        return this.#tally(step)
      case 'crowd':
        return this.#crowd(step)
      case 'drain':
        return this.#drain(step)
      case 'fill':
        return this.#fill(step)
      case 'attach':
        this.#objects.set(
          JSON.stringify(step.on),
          library.get(step.on.kind).attach(step.on, this.#revive(step.options)),
        )
        return undefined
      case 'word':
        return this.#word(step)
      default:
        throw new TypeError(`there is no step ${step.do}`)
    }
  }

  /** Steps as part of what `run` or `runSync` runs; those of runSync must not wait. */
  #inside({ on, method, steps, args = [], returns }) {
    const object = this.#attached(on)
    if (blocks(method)) {
      return object[method](
        (guard) => {
          if (returns === 'promise') return Promise.resolve()
          return [guard?.abandoned, ...steps.map((step) => this.#now(step))]
        },
        ...this.#revive(args),
      )
    }
    return object[method](
      async (guard) => {
        const outcomes = [guard?.abandoned]
        for (const step of steps) {
          if (step.do === 'throw') throw new RangeError(step.message)
          outcomes.push(await this.perform(step))
        }
        return outcomes
      },
      ...this.#revive(args),
    )
  }

  /** A step of runSync. */
  #now(step) {
    if (step.do === 'throw') throw new RangeError(step.message)
    try {
      const result = this.#perform(step)
      if (result instanceof Promise) {
        result.catch(() => {})
        throw new TypeError('a step of runSync must not wait')
      }
      return { value: this.#plain(result) }
    } catch (error) {
      return failure(error)
    }
  }

  /** Reads and writes that only the lock keeps together. */
  async #tally({ lock, counter, times, method }) {
    const held = this.#attached(lock)
    const count = this.#attached(counter)
    for (let i = 0; i < times; i++) {
      if (blocks(method)) {
        held[method](() => {
          count.value = count.value + 1
        })
        if (i % 16 === 0) await turn()
      } else {
        await held[method](async () => {
          const next = count.value + 1
          await turn()
          count.value = next
        })
      }
    }
    return times
  }

  /** Enters a place with room for some, notes how many are there, and leaves it; gives the most that it has seen. */
  async #crowd({ semaphore, inside, times, method }) {
    const slots = this.#attached(semaphore)
    const present = this.#attached(inside)
    let most = 0
    for (let i = 0; i < times; i++) {
      await slots[method]()
      most = Math.max(most, present.add(1) + 1)
      await turn()
      present.sub(1)
      slots.release()
      if (blocks(method)) await turn()
    }
    return most
  }

  /** One of wait, waitAsync and notify. */
  async #word({ on, method, args }) {
    const result = library.get(method)(this.#attached(on), ...args)
    return result.async === true ? { async: true, value: await result.value } : result
  }

  /** Takes items until the queue has ended. */
  async #drain({ queue, iterates }) {
    const source = this.#attached(queue)
    const items = []
    if (iterates) {
      for await (const item of source) items.push(item)
      return items
    }
    for (;;) {
      try {
        items.push(source.getSync())
      } catch (error) {
        if (error.code === 'ERR_ENDED') return items
        throw error
      }
    }
  }

  /** Puts items that say whose they are and which. */
  async #fill({ queue, label, times, method }) {
    const target = this.#attached(queue)
    for (let i = 0; i < times; i++) await target[method]([label, i])
  }

  #attached(handle) {
    const key = JSON.stringify(handle)
    let object = this.#objects.get(key)
    if (object === undefined) {
      object = procshare.attach(handle)
      this.#objects.set(key, object)
    }
    return object
  }

  #revive(value) {
    if (Array.isArray(value)) return value.map((item) => this.#revive(item))
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
    if ('@guard' in value) return this.#guards.get(value['@guard'])
    if ('@object' in value) return this.#attached(value['@object'])
    if ('@signal' in value) return this.#controllerOf(value['@signal']).signal
    if ('@reads' in value) {
      const read = this.#attached(value['@reads'])
      const looks = value.looks && this.#attached(value.looks)
      return () => {
        looks?.add(1)
        return read.value === value.equals && value.gives
      }
    }
    if ('@adds' in value) return () => void this.#attached(value['@adds']).add(1)
    if ('@pauses' in value) return () => this.#pauseOf(value['@pauses']).opened
    if ('@throws' in value) {
      return () => {
        throw new RangeError(value['@throws'])
      }
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#revive(item)]))
  }

  #plain(result) {
    if (!(result instanceof Object) || typeof result.release !== 'function') return result
    const id = ++this.#lastGuard
    this.#guards.set(id, result)
    return { '@guard': id, abandoned: result.abandoned }
  }

  #controllerOf(id) {
    let controller = this.#controllers.get(id)
    if (controller === undefined) {
      controller = new AbortController()
      this.#controllers.set(id, controller)
    }
    return controller
  }

  #pauseOf(name) {
    let pause = this.#pauses.get(name)
    if (pause === undefined) {
      const target = new EventTarget()
      const opened = once(target, 'open').then(() => undefined)
      pause = { opened, open: () => target.dispatchEvent(new globalThis.Event('open')) }
      this.#pauses.set(name, pause)
    }
    return pause
  }
}

/** What a process or worker serves for its actor. */
export function commandsOf(actor) {
  const names = ['whoAreYou', 'perform', 'start', 'outcomeOf', 'abort', 'resume', 'reset', 'exit']
  return Object.fromEntries(names.map((name) => [name, (...params) => actor[name](...params)]))
}
