/** The three drivers of the conformance suite. */
import { setImmediate as turn } from 'node:timers/promises'
import { type Peer, spawnFixture, startWorker, within } from '../helpers/fixture.ts'
import { untilAsleep } from '../helpers/sleepers.ts'
import { Actor, commandsOf } from './actor.mjs'
import {
  blocks,
  call,
  type Driver,
  type Failure,
  type GuardOf,
  get,
  type Outcome,
  type OwnedParty,
  PartyError,
  resultOf,
  SIGNAL,
  type Started,
  type Step,
  type Target,
} from './driver.ts'

const DEADLINE_MS = 20_000

/** Sends commands to an actor, wherever that is. */
type Send = <T>(command: string, ...params: unknown[]) => Promise<T>

/** Blocking calls that have not ended, by process and segment: the workers of a process cannot be told apart from outside. */
const blocked = new Map<string, number>()

function countBlocked(key: string, change: 1 | -1): void {
  blocked.set(key, (blocked.get(key) ?? 0) + change)
}

class StartedStep implements Started {
  readonly value: Promise<unknown>
  readonly error: Promise<Failure>
  /** The segment that a blocking call may sleep on. */
  readonly sleepsOn: string | undefined
  settled = false
  readonly #abort: (reason: unknown) => Promise<void>

  constructor(
    what: string,
    sleepsOn: string | undefined,
    outcome: Promise<Outcome>,
    abort: (reason: unknown) => Promise<void>,
  ) {
    this.sleepsOn = sleepsOn
    this.#abort = abort
    const noted = outcome.finally(() => {
      this.settled = true
    })
    this.value = within(noted, DEADLINE_MS, () => `${what} has not ended`).then(resultOf)
    this.error = this.value.then(
      (value) => {
        throw new Error(`${what} should have failed but gave ${JSON.stringify(value)}`)
      },
      (error) => {
        if (error instanceof PartyError) return error.failure
        throw error
      },
    )
    this.value.catch(() => {})
    this.error.catch(() => {})
  }

  abort(reason: unknown): Promise<void> {
    return this.#abort(reason)
  }
}

abstract class RemoteParty implements OwnedParty {
  readonly pid: number
  readonly threadId: number
  protected readonly send: Send
  #lastId = 0
  #gone = false

  constructor(send: Send, { pid, threadId }: { pid: number; threadId: number }) {
    this.send = send
    this.pid = pid
    this.threadId = threadId
  }

  get gone(): boolean {
    return this.#gone
  }

  call<T>(target: Target, method: string, ...args: unknown[]): Promise<T> {
    return this.perform(call(target, method, ...args))
  }

  get<T>(target: Target, property: string): Promise<T> {
    return this.perform(get(target, property))
  }

  async perform<T>(step: Step): Promise<T> {
    return resultOf(await this.send<Outcome>('perform', step))
  }

  async errorOf(step: Step): Promise<Failure> {
    const { value, error } = await this.send<Outcome>('perform', step)
    if (error === undefined) throw new Error(`${describe(step)} should have failed but gave ${JSON.stringify(value)}`)
    return error
  }

  start<T>(target: Target, method: string, ...args: unknown[]): Promise<Started<T>> {
    return this.begin(call(target, method, ...args))
  }

  async begin<T>(step: Step): Promise<Started<T>> {
    const id = ++this.#lastId
    const name = blocks(step) ? (step.on as { name: string }).name : undefined
    await this.send('start', id, withSignal(step, id))
    const outcome = this.send<Outcome>('outcomeOf', id)
    if (name !== undefined) {
      const key = `${this.pid} ${name}`
      countBlocked(key, 1)
      const ended = () => countBlocked(key, -1)
      outcome.then(ended, ended)
    }
    return new StartedStep(describe(step), name, outcome, (reason) => this.send('abort', id, reason)) as Started<T>
  }

  async waits(started: Started): Promise<void> {
    const { sleepsOn } = started as StartedStep
    if (sleepsOn !== undefined) {
      await this.untilAsleepOn(sleepsOn)
    } else {
      // Its event loop has gone round: what could be served has been served.
      for (let i = 0; i < 3; i++) await this.send('whoAreYou')
    }
    if (started.settled) throw new Error(`it does not wait: ${JSON.stringify(await started.value)}`)
  }

  release({ '@guard': guard }: GuardOf): Promise<void> {
    return this.perform({ do: 'guard', guard, method: 'release' })
  }

  resume(pause: string): Promise<void> {
    return this.send('resume', pause)
  }

  reset(): Promise<number> {
    return this.send('reset')
  }

  async end(): Promise<void> {
    this.#gone = true
    await this.endNow()
  }

  async exit(): Promise<void> {
    this.#gone = true
    void this.send('exit', 0).catch(() => {})
    await this.endedByItself()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#gone = true
    await this.endNow()
  }

  protected abstract untilAsleepOn(name: string): Promise<void>
  protected abstract endNow(): Promise<unknown>
  protected abstract endedByItself(): Promise<unknown>
}

/** A party that is a process or a worker. */
class PeerParty extends RemoteParty {
  readonly #peer: Peer & { ended(): Promise<unknown> }

  constructor(peer: Peer & { ended(): Promise<unknown> }, who: { pid: number; threadId: number }) {
    super((command, ...params) => peer.call(command, ...params), who)
    this.#peer = peer
  }

  protected untilAsleepOn(name: string): Promise<void> {
    return untilAsleep(this.pid, name, blocked.get(`${this.pid} ${name}`))
  }

  protected async endNow(): Promise<void> {
    await this.#peer[Symbol.asyncDispose]()
  }

  protected endedByItself(): Promise<unknown> {
    return this.#peer.ended()
  }
}

/** A party that is a chain of asynchronous tasks of this very thread. */
class TaskParty extends RemoteParty {
  protected async untilAsleepOn(): Promise<void> {
    throw new Error('a task cannot block its own thread')
  }

  protected async endNow(): Promise<void> {
    await this.reset()
  }

  protected async endedByItself(): Promise<void> {
    throw new Error('a task cannot end its process')
  }
}

export const processes: Driver = {
  name: 'processes',
  lacks: {},
  async start() {
    const peer = await spawnFixture('party', {}, { serialization: 'advanced' })
    return new PeerParty(peer, await peer.call('whoAreYou'))
  },
}

export const workers: Driver = {
  name: 'workers',
  lacks: {},
  async start() {
    const peer = await startWorker('party')
    return new PeerParty(peer, await peer.call('whoAreYou'))
  },
}

export const tasks: Driver = {
  name: 'tasks',
  lacks: {
    block: 'a task that blocks its thread stops the other one, too',
    apart: 'all tasks share one thread, and what belongs to that',
    end: 'a task cannot be ended from outside',
  },
  async start() {
    const actor = new Actor(() => {})
    const commands = commandsOf(actor)
    const send: Send = async (command, ...params) => {
      const answer = await commands[command]!(...params)
      await turn() // as a message would
      return answer as never
    }
    return new TaskParty(send, actor.whoAreYou())
  },
}

export const drivers: readonly Driver[] = [processes, workers, tasks]

function describe({ do: what, method, kind, name }: Step): string {
  return [what, method ?? kind ?? name].filter(Boolean).join(' ')
}

/** Puts the number of the operation in the place of SIGNAL. */
function withSignal(step: Step, id: number): Step {
  return JSON.stringify(step, replacer)?.includes(SIGNAL) ? (replaceSignal(step, id) as Step) : step
}

function replacer(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

function replaceSignal(value: unknown, id: number): unknown {
  if (value === SIGNAL) return { '@signal': id }
  if (Array.isArray(value)) return value.map((item) => replaceSignal(item, id))
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceSignal(item, id)]))
}
