/**
 * Private directories: where servers listen that were not told where. Each has one, which only its user may enter, with the socket
 * and the key in it; so every process of that user can connect to the address, and nobody else. On Windows, where pipes have no
 * directory, only the key is in it.
 */
import {
  closeSync,
  constants,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { socketError } from '../../errors/manager-messages.ts'
import { MOST_PATH_BYTES } from '../address.ts'
import { isAbandoned } from './listener.ts'

const PREFIX = 'procshare-manager-'
const SOCKET = 'socket'
/** What the socket is called until its server listens: so one called SOCKET at which nobody listens was left by a server that is dead. */
const UNHEARD = 'new'
const KEY = 'key'
const PIPE = '\\\\.\\pipe\\'
/** A directory without a socket is one that is being made, unless it is older than this. */
const BEING_MADE_MS = 60_000

export interface PrivateDirectory {
  readonly address: string
  /** Where to listen. */
  readonly listenAt: string
  /** Gives the socket, at which the server listens by now, its address. */
  publish(): void
  remove(): void
}

/** Makes the directory, with the key in it. @throws {@link ShareError} `ENOENT`, `EACCES`, `ENOSPC` and so on, with what to do. */
export function makePrivateDirectory(key: Uint8Array): PrivateDirectory {
  const parent = parentDirectory()
  let path: string | undefined
  try {
    path = mkdtempSync(join(parent, PREFIX))
    writeFileSync(join(path, KEY), key, { mode: 0o600 })
  } catch (error) {
    if (path !== undefined) removeDirectory(path)
    throw socketError(error as Error, parent, 'make a directory')
  }
  const isPipe = process.platform === 'win32'
  const address = isPipe ? PIPE + basename(path) : join(path, SOCKET)
  const listenAt = isPipe ? address : join(path, UNHEARD)
  return {
    address,
    listenAt,
    publish: () => isPipe || renameSync(listenAt, address),
    remove: () => removeDirectory(path),
  }
}

/** Removes the directory of a server that was killed. */
export function removePrivateDirectory(address: string): void {
  const path = directoryOf(address)
  try {
    if (path !== undefined && (process.platform === 'win32' || isOurs(path))) removeDirectory(path)
  } catch {
    // It is gone.
  }
}

/** The key of the server at that address, if it is one that this user has started and that was not told where to listen. */
export function keyBeside(address: string): Uint8Array | undefined {
  const path = directoryOf(address)
  try {
    return path === undefined ? undefined : readKey(path)
  } catch {
    return undefined
  }
}

/** The key in a directory, through no symbolic link. */
function readKey(path: string): Uint8Array | undefined {
  if (!lstatSync(path).isDirectory()) return undefined
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
  const descriptor = openSync(join(path, KEY), flags)
  try {
    return new Uint8Array(readFileSync(descriptor))
  } finally {
    closeSync(descriptor)
  }
}

/** Removes the directories of servers that were killed together with those who had started them. */
export async function removeAbandonedDirectories(): Promise<void> {
  const parent = parentDirectory()
  for (const name of namesIn(parent)) {
    const path = join(parent, name)
    try {
      if (name.startsWith(PREFIX) && isOurs(path) && (await isAbandonedDirectory(path))) {
        removeDirectory(path)
      }
    } catch {
      // Somebody else was faster, or it is not for us to look at.
    }
  }
}

/** Without a descriptor: a server that has none left is to leave nothing behind either. */
function removeDirectory(path: string): void {
  for (const remove of [
    () => unlinkSync(join(path, SOCKET)),
    () => unlinkSync(join(path, UNHEARD)),
    () => unlinkSync(join(path, KEY)),
    () => rmdirSync(path),
  ]) {
    try {
      remove()
    } catch {
      // Somebody else was faster, or has put something there.
    }
  }
}

async function isAbandonedDirectory(path: string): Promise<boolean> {
  const entries = readdirSync(path)
  if (entries.some((entry) => entry !== SOCKET && entry !== UNHEARD && entry !== KEY)) return false
  if (entries.includes(SOCKET)) return isAbandoned(join(path, SOCKET))
  return Date.now() - lstatSync(path).mtimeMs >= BEING_MADE_MS
}

/** Whether it is a directory that this user has made there: no symbolic link to one, and nothing that is mounted. */
function isOurs(path: string): boolean {
  const found = lstatSync(path)
  const { uid, mode, dev } = found
  const isPrivate = found.isDirectory() && (mode & 0o777) === 0o700 && uid === process.getuid?.()
  return isPrivate && dev === statSync(dirname(path)).dev
}

function namesIn(parent: string): string[] {
  try {
    return readdirSync(parent)
  } catch {
    return [] // who makes a directory there is told why
  }
}

function directoryOf(address: string): string | undefined {
  const path = address.startsWith(PIPE) ? join(parentDirectory(), address.slice(PIPE.length)) : dirname(address)
  return basename(path).startsWith(PREFIX) ? path : undefined
}

/** A directory for temporary files, absolute, in which the path of a socket is not too long. */
function parentDirectory(): string {
  const parent = resolve(tmpdir())
  const longest = join(parent, `${PREFIX}XXXXXX`, SOCKET)
  return process.platform === 'win32' || Buffer.byteLength(longest) <= MOST_PATH_BYTES ? parent : '/tmp'
}
