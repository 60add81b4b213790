/** The messages between a Process and its child, on the IPC channel that Node makes. */

export interface StartMessage {
  readonly procshare: 'start'
  readonly name: string
  readonly module: string
  readonly export: string
  readonly args: Uint8Array
  readonly detached: boolean
}

/** The child has attached to all arguments, so the parent may release them. */
export interface AttachedMessage {
  readonly procshare: 'attached'
}

/** The function threw, or could not be called. */
export interface FailedMessage {
  readonly procshare: 'failed'
  /** The thrown value, encoded by codec/thrown.ts. */
  readonly thrown: Uint8Array
}

export type ChildMessage = AttachedMessage | FailedMessage

/**
 * Whether a message on the channel of a child is one of the expected messages of this library. Node itself (`node --watch`),
 * clusters and programs also send messages on it.
 */
export function isOurs<M extends { readonly procshare: string }>(
  message: unknown,
  ...kinds: readonly M['procshare'][]
): message is M {
  if (typeof message !== 'object' || message === null || !Object.hasOwn(message, 'procshare')) return false
  return kinds.includes((message as M).procshare)
}
