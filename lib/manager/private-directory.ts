/**
 * The files of private directories: the content of the directory of a server's socket, the reading of the key, and the removal of the
 * files. The file server/private-listener.ts describes the creation of a directory.
 *
 * Only the three names below are removed, in a directory that is held open (`pin`), so no symbolic link is followed, and a replacement of
 * the directory is not touched. Two exceptions remain. First, the directory itself is removed by its path, after a check that it is still
 * the same. A replacement made after the check is removed if it is an empty directory that this user may remove. Second, some systems
 * cannot resolve a path from an open directory (/proc/self/fd of Linux), or no descriptor may be left. Then the three names are removed by
 * path as well, after the same check.
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

/** The key of the server at an address, if this user has started the server without giving an address. */
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

/** Reads a regular file of this user. It follows no symbolic link. */
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

/** Removes the files of a server that ends or is dead, if the directory is still the expected one. */
export function removeIf(path: string, isMeant: (found: Stats) => boolean): void {
  tryTo(() => {
    using pinned = pin(path, isMeant)
    for (const name of NAMES) tryTo(() => unlinkSync(join(pinned.inside, name)))
    pinned.removeEmpty()
  })
}

/** A directory that is held open, so that `inside` remains a path to it even if its name is removed or reused. */
export interface Pinned extends Disposable {
  readonly inside: string
  /** Removes the directory if it is empty. */
  removeEmpty(): void
}

/**
 * Opens a directory without following a symbolic link.
 * @throws the error of the system; an Error when the directory is not the expected one.
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

/** Returns undefined on Windows, and if no descriptor is left: a server without free descriptors must also remove its files. */
function openDirectory(path: string): number | undefined {
  if (IS_WINDOWS) return undefined
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    if (['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** A path to the open directory itself, on systems that have such paths. */
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

/** Whether this user has made the directory at that path for a server. A mount point is not accepted. */
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

/** The absolute path of a directory for temporary files, short enough for the path of a socket. */
export function parentDirectory(): string {
  const parent = resolve(tmpdir())
  const longest = join(parent, `${PREFIX}XXXXXX`, SOCKET)
  return IS_WINDOWS || Buffer.byteLength(longest) <= MAX_PATH_BYTES ? parent : '/tmp'
}
