/** A server process with a type of the tests' own, and what the system says of a process. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { listSegments, Manager, type ManagerStartOptions, type RegisteredProxy } from 'procshare'

export const BOX = new URL('../fixtures/managed-box.mjs', import.meta.url)

/** What the tests' type has. */
export interface Box {
  get(): unknown
  set(value: unknown): void
  echo<T>(value: T): T
  text(length: number): string
  textLater(length: number): Promise<string>
  wait(): Promise<never>
  spin(milliseconds: number): void
  throwUnspeakable(): never
  rejectUnspeakable(): Promise<never>
  throwLong(length: number): never
  returnFunction(): unknown
  returnThenable(how: string): unknown
}

export const TYPES = {
  box: { module: BOX },
  dark: { module: BOX, export: 'Dark', exposed: ['get'] },
  slowBox: { module: BOX, export: 'slowBox', exposed: ['get', 'set'] },
}

/** A manager with its server process. */
export function startManager(options: ManagerStartOptions = {}): Promise<Manager> {
  return Manager.start({ types: TYPES, ...options })
}

export function makeBox(manager: Manager, value?: unknown, name?: string): Promise<RegisteredProxy<Box>> {
  return manager.create<Box>('box', [value], name === undefined ? undefined : { name })
}

/** How many pairs of rings a process has made that somebody still has. */
export function ringsOf(pid = process.pid): number {
  return namesOfRings(pid).length
}

function namesOfRings(pid: number): string[] {
  const rings = listSegments().filter(({ kind, creatorPid }) => kind === 'Pipe' && creatorPid === pid)
  return rings.map(({ name }) => name)
}

/** Has so much to say that its connection goes on in shared memory. */
export async function warmUp(box: RegisteredProxy<Box>): Promise<void> {
  const before = namesOfRings(process.pid) // some of which may go meanwhile
  for (let i = 0; i < 300; i++) await box.get()
  if (namesOfRings(process.pid).every((name) => before.includes(name))) throw new Error('It has no rings')
}

/** How many descriptors a process has. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** How many sockets a process has. */
export function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`
  const isSocket = (descriptor: string) => {
    try {
      return readlinkSync(`${folder}/${descriptor}`).startsWith('socket:')
    } catch {
      return false // closed meanwhile
    }
  }
  return readdirSync(folder).filter(isSocket).length
}

/** Bytes of memory that a process has. */
export function memoryOf(pid: number): number {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')
  return Number(pages) * 4096
}
