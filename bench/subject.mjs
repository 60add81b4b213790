/** Subjects: processes that run a requested number of operations and report the time. */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'

const SUBJECTS = path.join(import.meta.dirname, 'subjects')
const DEADLINE_MS = 120_000

/** The result of one request, in nanoseconds of the system's monotonic clock. */
class Timing {
  constructor(start, end, counter) {
    this.start = start
    this.end = end
    this.counter = counter
  }

  get ns() {
    return Number(this.end - this.start)
  }
}

/** One process. Each subject has its own, so that V8's type feedback of one does not affect another. */
export class Subject {
  #child
  #lines
  #description

  constructor(command, args) {
    this.#description = [command, ...args].join(' ')
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.on('error', () => {}) // the end of its output reports the same
    this.#child.stdin.on('error', () => {})
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  /** A JavaScript subject from bench/subjects. */
  static script(name, ...args) {
    return new Subject(process.execPath, [path.join(SUBJECTS, `${name}.mjs`), ...args])
  }

  async ready() {
    await this.#line()
  }

  async request(operations) {
    this.#child.stdin.write(`${operations}\n`)
    const [start, end, counter] = (await this.#line()).split(' ')
    return new Timing(BigInt(start), BigInt(end), Number(counter))
  }

  async end() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.stdin.end()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), DEADLINE_MS)
    await gone
    clearTimeout(timer)
  }

  async #line() {
    let timer
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`No answer from ${this.#description}`)), DEADLINE_MS)
    })
    try {
      const { value, done } = await Promise.race([this.#lines.next(), late])
      if (done) throw new Error(`${this.#description} has ended`)
      return value
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Several processes that do the same work at the same time; an operation is one of any of them. */
export class Team {
  #count
  #start
  #members = []

  constructor(count, start) {
    this.#count = count
    this.#start = start
  }

  /** The first process is ready before the others start, because it creates the shared objects. */
  async ready() {
    this.#members.push(this.#start())
    await this.#members[0].ready()
    while (this.#members.length < this.#count) this.#members.push(this.#start())
    await Promise.all(this.#members.slice(1).map((member) => member.ready()))
  }

  /** From the first start to the last end. */
  async request(operations) {
    const share = operations / this.#members.length
    const timings = await Promise.all(this.#members.map((member) => member.request(share)))
    const { counter } = await this.#members[0].request(0)
    const start = timings.map((timing) => timing.start).reduce((a, b) => (a < b ? a : b))
    const end = timings.map((timing) => timing.end).reduce((a, b) => (a > b ? a : b))
    return new Timing(start, end, counter)
  }

  async end() {
    // The first process ends last, because it removes the shared objects.
    await Promise.all(this.#members.slice(1).map((member) => member.end()))
    await this.#members[0]?.end()
  }
}
