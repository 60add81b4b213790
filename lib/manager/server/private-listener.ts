/**
 * Private directories: the default place of a server's socket. Each server without an address has one, which only its user may enter. The
 * directory contains the socket and the key, so that only processes of that user can connect to the address. On Windows, where pipes have
 * no directory, it contains only the key.
 *
 * A directory is built in four steps: it is made, empty; the server listens at STARTING in it; KEY is written; STARTING is renamed to
 * SOCKET. A killed server leaves its files, and the next server removes them. The files of a killed server and those of a starting server
 * look the same, but the sweeper need not distinguish them. By removing an empty directory, or STARTING, a sweeper makes the next step of a
 * live server fail. That server then begins again with another directory. Therefore:
 *
 *   D1  Only an rmdir removes a directory in which there was neither socket nor key.
 *   D2  In a directory without SOCKET, a sweeper removes other files only after it has itself removed STARTING. The server cannot rename
 *       STARTING any more. KEY without STARTING and SOCKET was left by such a sweeper, or by a server at its end.
 *   D3  A server listens at SOCKET until it ends. A socket that refuses connections was left by a dead server.
 */
import { lstatSync, mkdtempSync, readdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { TlsOptions } from 'node:tls'
import { socketError } from '../../errors/manager-messages.ts'
import { hasCode } from '../../errors/share-error.ts'
import {
  exists,
  IS_WINDOWS,
  isOurs,
  isSame,
  KEY,
  NAMES,
  namesIn,
  PIPE,
  type Pinned,
  PREFIX,
  parentDirectory,
  pin,
  removeIf,
  SOCKET,
  STARTING,
  tryTo,
} from '../private-directory.ts'
import { isAbandoned, type Listener, listen } from './listener.ts'
import type { ServerCore } from './server-core.ts'

/** Each server that starts at the same time can remove a directory once, before it makes its own. */
const MAX_ATTEMPTS = 1000

/** A server that listens in a private directory. */
export interface PrivateListener {
  readonly listener: Listener
  readonly address: string
  /** Removes the directory. */
  remove(): void
}

/**
 * Makes a directory, and listens in it.
 * @throws {@link ShareError} `ENOENT`, `EACCES`, `EROFS`, `ENOSPC` and so on, with advice in the message.
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

/** Thrown when a server that started at the same time has removed the directory. */
class Swept extends Error {}

async function listenOnce(core: ServerCore, tls: TlsOptions | undefined): Promise<PrivateListener> {
  const parent = parentDirectory()
  const path = attempt(parent, () => mkdtempSync(join(parent, PREFIX)))
  const made = lstatSync(path, { throwIfNoEntry: false })
  const remove = () => removeIf(path, (found) => isSame(found, made))
  const address = IS_WINDOWS ? PIPE + basename(path) : join(path, SOCKET)
  const listenAt = IS_WINDOWS ? address : join(path, STARTING)
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

/** Removes the directories of servers that were killed together with their creators, or before they listened. */
export async function removeAbandonedDirectories(): Promise<void> {
  const parent = parentDirectory()
  for (const name of namesIn(parent)) {
    if (!name.startsWith(PREFIX)) continue
    try {
      const path = join(parent, name)
      using pinned = pin(path, (found) => isOurs(found, path))
      await sweep(pinned)
    } catch {
      // The directory is gone, or not accessible to this user.
    }
  }
}

/** Removes a directory in which no server listens or will listen. */
async function sweep(pinned: Pinned): Promise<void> {
  const entries = readdirSync(pinned.inside)
  if (entries.some((entry) => !NAMES.includes(entry))) return
  const [starting, socket, key] = NAMES.map((name) => join(pinned.inside, name)) as [string, string, string]
  // In this order, a file that is renamed in between is found under its second name.
  if (exists(starting)) {
    if (!(await isAbandoned(starting))) return
    unlinkSync(starting) // fails if it has been renamed: D2
  } else if (exists(socket)) {
    if (!(await isAbandoned(socket))) return
    unlinkSync(socket)
  }
  // Removes only a key that the first look has found: D2. A key that was written since belongs to a live server.
  if (entries.includes(KEY)) tryTo(() => unlinkSync(key))
  pinned.removeEmpty()
}
