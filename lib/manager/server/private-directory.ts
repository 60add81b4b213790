/**
 * Private directories: the default place of a server's socket. Each server that is given no address has one, which only its user may
 * enter; the socket and the key are in it, so that every process of that user can connect to the address, and nobody else. On
 * Windows, where pipes have no directory, only the key is in it.
 *
 * A directory is built in four steps: it is made, empty; the server listens at UNHEARD in it; KEY is written; UNHEARD is renamed to
 * SOCKET. A server that is killed leaves what there was, and the next server removes it. What a killed server left and what another
 * one is just building cannot be told apart, and need not be: by removing an empty directory, or UNHEARD, a sweeper makes the next
 * step of a server that still lives fail, and that server begins anew with another directory. Therefore:
 *
 *   D1  Nothing but an rmdir removes a directory in which there was neither socket nor key.
 *   D2  Only a sweeper that has itself removed UNHEARD removes anything else of a directory without SOCKET. Its server cannot
 *       rename it any more. KEY without UNHEARD and SOCKET is what such a sweeper, or a server at its end, has left.
 *   D3  SOCKET is listened at until its server ends: one that refuses connections was left by a server that is dead.
 *
 * The only names that are removed are these three, in a directory that is held open (`pin`), so no symbolic link is followed and
 * nothing that takes the place of the directory meanwhile is touched. Two things remain. The directory itself is removed by its
 * path, after a look at whether it is still the same: what could take its place in between goes if it is an empty directory that this
 * user may remove. And where the system cannot resolve a path from an open directory (/proc/self/fd of Linux), or there is no
 * descriptor for it, the three names are removed by path as well, after the same look.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import type { TlsOptions } from 'node:tls'
import { socketError } from '../../errors/manager-messages.ts'
import { hasCode } from '../../errors/share-error.ts'
import { MAX_PATH_BYTES } from '../address.ts'
import { isAbandoned, type Listener, listen } from './listener.ts'
import type { ServerCore } from './server-core.ts'

const PREFIX = 'procshare-manager-'
const SOCKET = 'socket'
/** What the socket is called until its server listens and the key is there. */
const UNHEARD = 'new'
const KEY = 'key'
const NAMES: readonly string[] = [UNHEARD, SOCKET, KEY]
const PIPE = '\\\\.\\pipe\\'
const IS_WINDOWS = process.platform === 'win32'
/** Each server that starts meanwhile can take a directory away once, before it makes its own. */
const MAX_ATTEMPTS = 1000

/** A server that listens in a directory of its own. */
export interface PrivateListener {
  readonly listener: Listener
  readonly address: string
  /** Removes the directory. */
  remove(): void
}

/**
 * Makes a directory, and listens in it.
 * @throws {@link ShareError} `ENOENT`, `EACCES`, `EROFS`, `ENOSPC` and so on, with what to do.
 */
export async function listenPrivately(core: ServerCore, tls: TlsOptions | undefined): Promise<PrivateListener> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await listenOnce(core, tls)
    } catch (error) {
      if (!(error instanceof Swept)) throw error
      if (attempt === MAX_ATTEMPTS) throw error.cause
    }
  }
}

/** The directory was taken away by a server that started at the same time. */
class Swept extends Error {}

async function listenOnce(core: ServerCore, tls: TlsOptions | undefined): Promise<PrivateListener> {
  const parent = parentDirectory()
  const path = attempt(parent, () => mkdtempSync(join(parent, PREFIX)))
  const made = lstatSync(path, { throwIfNoEntry: false })
  const remove = () => removeIf(path, (found) => isSame(found, made))
  const address = IS_WINDOWS ? PIPE + basename(path) : join(path, SOCKET)
  const listenAt = IS_WINDOWS ? address : join(path, UNHEARD)
  let listener: Listener | undefined
  try {
    listener = await listen(core, listenAt, tls)
    attempt(parent, () => {
      writeFileSync(join(path, KEY), core.key, { mode: 0o600, flag: 'wx' })
      if (!IS_WINDOWS) renameSync(listenAt, address)
    })
    return { listener, address, remove }
  } catch (error) {
    await listener?.close()
    remove()
    throw hasCode(error, 'ENOENT') ? new Swept('swept', { cause: error }) : error
  }
}

function attempt<T>(parent: string, fn: () => T): T {
  try {
    return fn()
  } catch (error) {
    throw socketError(error as Error, parent, 'make a directory')
  }
}

/** Removes the directory of a server that was killed. */
export function removePrivateDirectory(address: string): void {
  const path = directoryOf(address)
  if (path !== undefined) removeIf(path, (found) => IS_WINDOWS || isOurs(found, path))
}

/** The key of the server at that address, if it is one that this user has started and that was not told where to listen. */
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

/** Removes the directories of servers that were killed together with those who had started them, or before they listened. */
export async function removeAbandonedDirectories(): Promise<void> {
  const parent = parentDirectory()
  for (const name of namesIn(parent)) {
    if (!name.startsWith(PREFIX)) continue
    try {
      const path = join(parent, name)
      using pinned = pin(path, (found) => isOurs(found, path))
      await sweep(pinned)
    } catch {
      // It is gone, or it is not for us to look at.
    }
  }
}

/** Removes a directory that nobody listens in, nor will. */
async function sweep(pinned: Pinned): Promise<void> {
  const entries = readdirSync(pinned.inside)
  if (entries.some((entry) => !NAMES.includes(entry))) return
  const [unheard, socket, key] = NAMES.map((name) => join(pinned.inside, name)) as [string, string, string]
  // In this order: what is renamed in between is seen under its second name.
  if (exists(unheard)) {
    if (!(await isAbandoned(unheard))) return
    unlinkSync(unheard) // fails if it has been renamed: D2
  } else if (exists(socket)) {
    if (!(await isAbandoned(socket))) return
    unlinkSync(socket)
  }
  // A key that was there before neither of the two was: D2. One that has come since belongs to a server that lives.
  if (entries.includes(KEY)) tryTo(() => unlinkSync(key))
  pinned.removeEmpty()
}

/** Removes what a server at its end, or a dead one, has in its directory, if that is still the one that is meant. */
function removeIf(path: string, isMeant: (found: Stats) => boolean): void {
  tryTo(() => {
    using pinned = pin(path, isMeant)
    for (const name of NAMES) tryTo(() => unlinkSync(join(pinned.inside, name)))
    pinned.removeEmpty()
  })
}

/** A directory that is held open, so that `inside` is a path to it whatever becomes of its name. */
interface Pinned extends Disposable {
  readonly inside: string
  /** Removes it, if there is nothing in it. */
  removeEmpty(): void
}

/**
 * Opens a directory: not the one that a symbolic link leads to.
 * @throws what the system reports; an Error when it is not the one that is meant.
 */
function pin(path: string, isMeant: (found: Stats) => boolean): Pinned {
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

function isSame(one: Stats, other: Stats | undefined): boolean {
  return one.dev === other?.dev && one.ino === other.ino
}

/** Whether a directory is one that this user has made at that path for a server: nothing that is mounted there. */
function isOurs(found: Stats, path: string): boolean {
  return (found.mode & 0o777) === 0o700 && isOfThisUser(found) && found.dev === statSync(dirname(path)).dev
}

function isOfThisUser({ uid }: Stats): boolean {
  return uid === process.geteuid?.()
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Errors are ignored: somebody else was faster, or has put something there. */
function tryTo(fn: () => void): void {
  try {
    fn()
  } catch {}
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
  return IS_WINDOWS || Buffer.byteLength(longest) <= MAX_PATH_BYTES ? parent : '/tmp'
}
