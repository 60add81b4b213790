/** The baselines: C programs, compiled by the benchmark, and the fastest Python of the machine. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { Subject } from './subject.mjs'

const SOURCES = path.join(import.meta.dirname, 'baselines')
const PYTHON_LOOPS = path.join(SOURCES, 'multiprocessing_loops.py')

/** C programs, compiled into a folder that dispose() removes. */
export class Compiler {
  #folder = mkdtempSync(path.join(tmpdir(), 'procshare-bench-'))
  #programs = new Map()

  start(name, ...args) {
    let program = this.#programs.get(name)
    if (program === undefined) {
      program = path.join(this.#folder, name)
      const source = path.join(SOURCES, `${name}.c`)
      execFileSync('cc', ['-O2', '-Wall', '-o', program, source, '-pthread', '-lrt'], { stdio: 'inherit' })
      this.#programs.set(name, program)
    }
    return new Subject(program, args)
  }

  dispose() {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Starts Python's loops; undefined where there is no Python. */
export class Python {
  #executable
  version

  constructor(executable, version) {
    this.#executable = executable
    this.version = version
  }

  start(...args) {
    return new Subject(this.#executable, [PYTHON_LOOPS, ...args])
  }

  /** Runs the measured line in every Python of the machine, three times in turn, and selects the fastest. */
  static async fastest() {
    const found = candidates().map((executable) => ({ executable, version: versionOf(executable), best: Infinity }))
    const usable = [...new Map(found.filter(({ version }) => version !== undefined).map((one) => [one.version, one]))]
    const pythons = usable.map(([, one]) => one)
    for (let round = 0; round < 3; round++) {
      for (const python of pythons) python.best = Math.min(python.best, await trial(python.executable))
    }
    pythons.sort((a, b) => a.best - b.best)
    return pythons.length === 0 ? undefined : new Python(pythons[0].executable, pythons[0].version)
  }
}

/** Every python3 of the PATH, of the usual places, and of pyenv. */
function candidates() {
  const versions = path.join(process.env.PYENV_ROOT ?? path.join(homedir(), '.pyenv'), 'versions')
  const folders = [
    ...(process.env.PATH ?? '').split(path.delimiter),
    '/usr/bin',
    '/usr/local/bin',
    ...entriesOf(versions).map((version) => path.join(versions, version, 'bin')),
  ]
  const files = folders.flatMap((folder) =>
    entriesOf(folder)
      .filter((name) => /^python3(\.\d+)?$/.test(name))
      .map((name) => path.join(folder, name)),
  )
  return [...new Set(files.map((file) => realpathSync(file)))]
}

function entriesOf(folder) {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** The version and the real path, which identify an installation; undefined for a file that is not a working Python. */
function versionOf(executable) {
  const code = 'import sys, multiprocessing; print(sys.version.split()[0], sys.base_prefix)'
  try {
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 30_000 }
    return execFileSync(executable, ['-c', code], options).trim()
  } catch {
    return undefined
  }
}

async function trial(executable) {
  const subject = new Subject(executable, [PYTHON_LOOPS, 'update'])
  try {
    await subject.ready()
    await subject.request(20_000)
    return (await subject.request(100_000)).ns
  } finally {
    await subject.end()
  }
}
