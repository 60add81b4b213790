/**
 * The files of private directories: what is in the directory of a server's socket, how the key is read there, and how the files are
 * removed. server/private-listener.ts says how a directory comes into being.
 *
 * Only the three names below are removed, in a directory that is held open (`pin`), so no symbolic link is followed and nothing that
 * takes the place of the directory is touched. Two things remain. The directory itself is removed by its path, after a check that it
 * is still the same: what takes its place in between is removed if it is an empty directory that this user may remove. And where the
 * system cannot resolve a path from an open directory (/proc/self/fd of Linux), or there is no descriptor for it, the three names are
 * removed by path as well, after the same check.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { MAX_PATH_BYTES } from './address.ts'

export const PREFIX = 'procshare-manager-'
export const SOCKET = 'socket'
/** The name of the socket until its server listens and the key is written. */
export const STARTING = 'new'
export const KEY = 'key'
export const NAMES: readonly string[] = [STARTING, SOCKET, KEY]
export const PIPE = '\\\\.\\pipe\\'
export const IS_WINDOWS = process.platform === 'win32'
/** Removes the directory of a server that was killed. */
export function removePrivateDirectory(address: string): void {
  const path = directoryOf(address)
  if (path !== undefined) removeIf(path, (found) => IS_WINDOWS || isOurs(found, path))
}

/** The key of the server at an address, if this user has started it without an address of its own. */
export function keyBeside(address: string): Uint8Array | undefined {
  const path = directoryOf(address)
  if (path === undefined) return undefined
  try {
    using pinned = pin(path, (found) => IS_WINDOWS || isOfThisUser(found))
    return readKey(join(pinned.inside, KEY))
  } catch {
    return undefined
  }
}

/** A regular file of this user, through no symbolic link. */
function readKey(path: string): Uint8Array | undefined {
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const found = fstatSync(descriptor)
    if (!found.isFile() || !(IS_WINDOWS || isOfThisUser(found))) return undefined
    return new Uint8Array(readFileSync(descriptor))
  } finally {
    closeSync(descriptor)
  }
}

/** Removes the files of a server that ends or is dead, if the directory is still the one that is meant. */
export function removeIf(path: string, isMeant: (found: Stats) => boolean): void {
  tryTo(() => {
    using pinned = pin(path, isMeant)
    for (const name of NAMES) tryTo(() => unlinkSync(join(pinned.inside, name)))
    pinned.removeEmpty()
  })
}

/** A directory that is held open, so that `inside` is a path to it whatever becomes of its name. */
export interface Pinned extends Disposable {
  readonly inside: string
  /** Removes it, if there is nothing in it. */
  removeEmpty(): void
}

/**
 * Opens a directory: not the one that a symbolic link leads to.
 * @throws what the system reports; an Error when it is not the one that is meant.
 */
export function pin(path: string, isMeant: (found: Stats) => boolean): Pinned {
  const descriptor = openDirectory(path)
  const dispose = () => {
    if (descriptor !== undefined) closeSync(descriptor)
  }
  try {
    const found = descriptor === undefined ? lstatSync(path) : fstatSync(descriptor)
    const isThere = () => isSame(lstatSync(path), found)
    if (!found.isDirectory() || !isMeant(found) || !isThere()) throw new Error(`${path} is another one`)
    const removeEmpty = () => tryTo(() => isThere() && rmdirSync(path))
    return { inside: pathFrom(descriptor, found) ?? path, removeEmpty, [Symbol.dispose]: dispose }
  } catch (error) {
    dispose()
    throw error
  }
}

/** Undefined on Windows, and if there is no descriptor left: a server that has none is to leave nothing behind either. */
function openDirectory(path: string): number | undefined {
  if (IS_WINDOWS) return undefined
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    if (['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** A path that leads to an open directory itself, where there are such paths. */
function pathFrom(descriptor: number | undefined, found: Stats): string | undefined {
  if (descriptor === undefined) return undefined
  const path = `/proc/self/fd/${descriptor}`
  try {
    return isSame(statSync(`${path}/.`), found) ? path : undefined
  } catch {
    return undefined
  }
}

export function isSame(one: Stats, other: Stats | undefined): boolean {
  return one.dev === other?.dev && one.ino === other.ino
}

/** Whether a directory is one that this user has made at that path for a server: nothing that is mounted there. */
export function isOurs(found: Stats, path: string): boolean {
  return (found.mode & 0o777) === 0o700 && isOfThisUser(found) && found.dev === statSync(dirname(path)).dev
}

function isOfThisUser({ uid }: Stats): boolean {
  return uid === process.geteuid?.()
}

export function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Runs `fn` and ignores errors: another process may have removed or added files. */
export function tryTo(fn: () => void): void {
  try {
    fn()
  } catch {}
}

export function namesIn(parent: string): string[] {
  try {
    return readdirSync(parent)
  } catch {
    return [] // making a directory there reports the reason
  }
}

function directoryOf(address: string): string | undefined {
  const path = address.startsWith(PIPE) ? join(parentDirectory(), address.slice(PIPE.length)) : dirname(address)
  return basename(path).startsWith(PREFIX) ? path : undefined
}

/** A directory for temporary files, absolute, in which the path of a socket is not too long. */
export function parentDirectory(): string {
  const parent = resolve(tmpdir())
  const longest = join(parent, `${PREFIX}XXXXXX`, SOCKET)
  return IS_WINDOWS || Buffer.byteLength(longest) <= MAX_PATH_BYTES ? parent : '/tmp'
}
