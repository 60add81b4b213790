/**
 * Private directories: where servers listen that were not told where. Each has one, which only its user may enter, with the socket
 * and the key in it; so every process of that user can connect to the address, and nobody else. On Windows, where pipes have no
 * directory, only the key is in it.
 */
import { mkdtempSync, readdirSync, readFileSync, rmdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { MOST_PATH_BYTES } from '../address.ts'
import { isAbandoned } from './listener.ts'

const PREFIX = 'procshare-manager-'
const SOCKET = 'socket'
const KEY = 'key'
const PIPE = '\\\\.\\pipe\\'
/** A directory without a socket is one that is being made, unless it is older than this. */
const BEING_MADE_MS = 60_000

export interface PrivateDirectory {
  readonly address: string
  remove(): void
}

/** Makes the directory, with the key in it. */
export function makePrivateDirectory(key: Uint8Array): PrivateDirectory {
  const path = mkdtempSync(join(parentDirectory(), PREFIX))
  writeFileSync(join(path, KEY), key, { mode: 0o600 })
  return {
    address: process.platform === 'win32' ? PIPE + basename(path) : join(path, SOCKET),
    remove: () => removeDirectory(path),
  }
}

/** Removes the directory of a server that was killed. */
export function removePrivateDirectory(address: string): void {
  const path = directoryOf(address)
  if (path !== undefined) removeDirectory(path)
}

/** The key of the server at that address, if it is one that this user has started and that was not told where to listen. */
export function keyBeside(address: string): Uint8Array | undefined {
  const path = directoryOf(address)
  try {
    return path === undefined ? undefined : new Uint8Array(readFileSync(join(path, KEY)))
  } catch {
    return undefined
  }
}

/** Removes the directories of servers that were killed together with those who had started them. */
export async function removeAbandonedDirectories(): Promise<void> {
  const parent = parentDirectory()
  for (const name of readdirSync(parent)) {
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
  if (entries.some((entry) => entry !== SOCKET && entry !== KEY)) return false
  if (Date.now() - statSync(path).mtimeMs < BEING_MADE_MS) return false
  return !entries.includes(SOCKET) || (await isAbandoned(join(path, SOCKET)))
}

function isOurs(path: string): boolean {
  const { uid, mode } = statSync(path)
  return (mode & 0o777) === 0o700 && uid === process.getuid?.()
}

function directoryOf(address: string): string | undefined {
  const path = address.startsWith(PIPE) ? join(parentDirectory(), address.slice(PIPE.length)) : dirname(address)
  return basename(path).startsWith(PREFIX) ? path : undefined
}

/** A directory for temporary files in which the path of a socket is not too long. */
function parentDirectory(): string {
  const longest = join(tmpdir(), `${PREFIX}XXXXXX`, SOCKET)
  return process.platform === 'win32' || Buffer.byteLength(longest) <= MOST_PATH_BYTES ? tmpdir() : '/tmp'
}
