/**
 * The programs of the cookbook as processes. They are copies in a folder of their own, in which the names of shared objects are
 * unique. The garbage collector works all the time, so a program that does not keep its objects fails.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { listSegments, unlinkSegment } from 'procshare'
import { ROOT } from './documentation.ts'
import { eventually } from './eventually.ts'
import { DEADLINE_MS, type Exit, within } from './fixture.ts'
import { uniqueName } from './segment-names.ts'

export const COOKBOOK = 'examples/cookbook'

const COLLECTING = 'data:text/javascript,setInterval(gc, 250).unref()'

/** The programs of the cookbook, relative to its folder. */
export function recipeFiles(): string[] {
  return readdirSync(path.join(ROOT, COOKBOOK), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[cm]js$/.test(file))
    .map((file) => file.replaceAll('\\', '/'))
    .sort()
}

export interface RunOptions {
  readonly env?: Record<string, string>
  /** A command that runs the program, with its arguments. */
  readonly under?: readonly string[]
  /** A module that is imported before the program. */
  readonly preload?: string
}

/** The setup of one test: copies of all recipes, and their processes. */
export class Kitchen implements AsyncDisposable {
  readonly folder: string
  readonly #prefix = uniqueName('cookbook')
  readonly #programs: Program[] = []

  constructor() {
    // Inside the project, so that 'procshare' is found by its name; in a folder that git and all tools ignore.
    mkdirSync(path.join(ROOT, 'build'), { recursive: true })
    this.folder = mkdtempSync(path.join(ROOT, 'build', 'cookbook-'))
    cpSync(path.join(ROOT, COOKBOOK), this.folder, { recursive: true })
    for (const file of recipeFiles()) {
      const copy = path.join(this.folder, file)
      const code = readFileSync(copy, 'utf8')
      writeFileSync(
        copy,
        code.replace(/\b(open|attach)\('([^']+)'/g, (_all, call, name) => `${call}('${this.name(name)}'`),
      )
    }
  }

  /** The name of that object in the copies. */
  name(name: string): string {
    return `${this.#prefix}-${name}`
  }

  run(file: string, args: readonly (string | number)[] = [], options: RunOptions = {}): Program {
    const { env = {}, under = [], preload } = options
    const imports = [COLLECTING, ...(preload === undefined ? [] : [preload])].flatMap((url) => ['--import', url])
    const command = [...under, process.execPath, '--expose-gc', ...imports, path.resolve(this.folder, file)]
    const child = spawn(command[0]!, [...command.slice(1), ...args.map(String)], {
      cwd: this.folder,
      env: { ...process.env, ...env },
    })
    const program = new Program(`${file} ${args.join(' ')}`, child)
    this.#programs.push(program)
    return program
  }

  /** Runs a program to its end, and returns its output. */
  async output(file: string, args: readonly (string | number)[] = [], options: RunOptions = {}): Promise<string> {
    const program = this.run(file, args, options)
    const { code } = await program.ended()
    if (code !== 0) throw new Error(`${file} ended with ${code}\n${program.output}`)
    return program.output
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.kill()))
    for (const { name } of listSegments()) if (name.startsWith(this.#prefix)) unlinkSegment(name)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** One process of a recipe. */
export class Program {
  readonly #title: string
  readonly #child: ChildProcess
  readonly #closed: Promise<Exit>
  #output = ''
  #hasEnded = false

  constructor(title: string, child: ChildProcess) {
    this.#title = title
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        this.#output += text
      })
    }
    this.#closed = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => {
        this.#hasEnded = true
        resolve({ code, signal })
      })
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Its output so far, errors included. */
  get output(): string {
    return this.#output
  }

  /** Waits until its output matches the pattern. */
  async printed(pattern: string | RegExp, deadlineMs = DEADLINE_MS): Promise<RegExpMatchArray> {
    const expected = typeof pattern === 'string' ? new RegExp(`^${pattern}$`, 'm') : pattern
    const match = await eventually(() => expected.exec(this.#output) ?? this.#hasEnded, deadlineMs).catch(() => false)
    if (typeof match === 'boolean') throw new Error(`${this.#title} has not printed ${expected}, but\n${this.#output}`)
    return match
  }

  /** Writes a line to its standard input. */
  write(line: string): void {
    this.#child.stdin!.write(`${line}\n`)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** The way in which it ended, once all its output has arrived. */
  ended(): Promise<Exit> {
    return within(this.#closed, DEADLINE_MS, () => `${this.#title} does not end\n${this.#output}`)
  }

  /** Kills it by SIGKILL and waits for its end. */
  async kill(): Promise<Exit> {
    this.#child.kill('SIGKILL')
    return await this.ended()
  }
}
