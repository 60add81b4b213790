/** The state matrix: what its lines and rows are made of. */
import { inspect } from 'node:util'
import { type Lock, type RLock, ShareError, type ShareErrorCode } from 'procshare'

export type Outcome = 'returns' | ShareErrorCode
export type State = 'open' | 'closed' | 'unlinked' | 'held'

export interface Member {
  // biome-ignore lint/suspicious/noExplicitAny: the table says what the object is
  readonly act: (object: any) => unknown
  readonly open: Outcome
  readonly closed: Outcome
  /** Its lock belongs to an asynchronous task, and the caller is another one. */
  readonly held: Outcome
  readonly unlinked: Outcome
}

export type Members = Readonly<Record<string, Member>>

export type Act = Member['act']

/** Works in all states. */
export const always = (act: Act): Member => ({
  act,
  open: 'returns',
  closed: 'returns',
  held: 'returns',
  unlinked: 'returns',
})
/** Works until close. */
export const untilClose = (act: Act): Member => ({ ...always(act), closed: 'ERR_CLOSED' })
/** Works until close, and takes the lock. */
export const locking = (act: Act): Member => ({ ...untilClose(act), held: 'ERR_DEADLOCK' })
/** Works once. */
export const unlinking = (act: Act): Member => ({ ...untilClose(act), unlinked: 'ENOENT' })
/** Waits for what never comes, for no time. */
export const waiting = (act: Act): Member => ({
  ...untilClose(act),
  open: 'ERR_TIMEOUT',
  held: 'ERR_TIMEOUT',
  unlinked: 'ERR_TIMEOUT',
})
/** Needs a lock that the caller does not hold. */
export const owning = (act: Act): Member => ({
  ...untilClose(act),
  open: 'ERR_NOT_OWNER',
  held: 'ERR_NOT_OWNER',
  unlinked: 'ERR_NOT_OWNER',
})

/** No time to wait. */
export const NOW = { timeoutMs: 0 }

/** What every object has. */
export const handleMembers: Members = {
  handle: untilClose((object) => object.handle),
  memberCount: untilClose((object) => object.memberCount),
  toJSON: untilClose((object) => object.toJSON()),
  name: always((object) => object.name),
  close: always((object) => object.close()),
  unlink: unlinking((object) => object.unlink()),
  [String(Symbol.dispose)]: always((object) => object[Symbol.dispose]()),
}

/** Of what is waited for, or has a lock that is. */
export const refMembers: Members = {
  ref: always((object) => object.ref()),
  unref: always((object) => object.unref()),
}

/** What everything has that can be waited for. */
export const waitableMembers: Members = {
  ...handleMembers,
  ...refMembers,
  subject: always((object) => object.subject),
  [String(inspect.custom)]: always((object) => inspect(object)),
  shownState: untilClose((object) => object.shownState()),
  keepsAlive: always((object) => object.keepsAlive),
  state: untilClose((object) => object.state),
  assertOpen: untilClose((object) => object.assertOpen()),
}

export interface Shared extends Disposable {
  readonly name: string
  close(): void
  unlink(): void
}

/** A kind of object. */
export interface Row {
  readonly title: string
  readonly make: (name: string) => Shared
  readonly members: Members
  /** The lock of the object, if it has one. */
  readonly lockOf?: (object: never) => Lock | RLock
}

export const lockOfMember = (object: { lock: Lock }) => object.lock

/** What is to be closed at the end of a test. */
export const cleanups: (() => void)[] = []

/** The code of the error of an operation, or `returns`. */
export async function outcomeOf(act: () => unknown): Promise<string> {
  try {
    const result = await act()
    if (typeof (result as { release?: unknown } | undefined)?.release === 'function')
      (result as Disposable)[Symbol.dispose]()
    return 'returns'
  } catch (error) {
    return error instanceof ShareError ? error.code : String(error)
  }
}
