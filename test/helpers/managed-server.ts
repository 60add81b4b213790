/** A server process with a type of the tests, and facts of the system about a process. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { listSegments, Manager, type ManagerStartOptions, type RegisteredProxy } from 'procshare'

export const BOX = new URL('../fixtures/managed-box.mjs', import.meta.url)

/** The interface of the tests' type. */
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

/** The number of pairs of rings that a process has made and that are still in use. */
export function ringsOf(pid = process.pid): number {
  return namesOfRings(pid).length
}

function namesOfRings(pid: number): string[] {
  const rings = listSegments().filter(({ kind, creatorPid }) => kind === 'Pipe' && creatorPid === pid)
  return rings.map(({ name }) => name)
}

/** Sends so much that its connection continues in shared memory. */
export async function warmUp(box: RegisteredProxy<Box>): Promise<void> {
  const before = namesOfRings(process.pid) // some of which may be removed meanwhile
  for (let i = 0; i < 300; i++) await box.get()
  if (namesOfRings(process.pid).every((name) => before.includes(name))) throw new Error('It has no rings')
}

/** The number of descriptors of a process. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** The number of sockets of a process. */
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

/** The memory of a process in bytes. */
export function memoryOf(pid: number): number {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')
  return Number(pages) * 4096
}
