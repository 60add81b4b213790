/** Pipe and Connection: two ends, each of which receives the messages of the other. */
import { defineProperty } from '../define-property.ts'
import { segmentError } from '../errors/segment-messages.ts'
import type { Handle } from '../memory/handle.ts'
import { defineKind } from '../memory/kind.ts'
import type { Placement } from '../memory/placement.ts'
import { type AttachOptions, type HeldHandle, heldHandle, takeAttachOptions } from '../memory/segment.ts'
import { assertedName } from '../memory/segment-name.ts'
import { FOR_CHILD } from '../memory/shareable.ts'
import { SharedObject, stateAt } from '../sync/shared-object.ts'
import { NO_OPTIONS, type SyncWaitOptions, type WaitOptions } from '../sync/wait-options.ts'
import { NOT_NOW } from '../sync/wait-queue.ts'
import { typeError } from '../validate.ts'
import { attachEnd, ConnectionState, createPipe, HOLDERS, type PipeOptions, placementOf } from './connection-state.ts'
import { type ConsumeOptions, consume, ENDED } from './consume.ts'
import type { Consumer } from './consumer.ts'
import type { Producer } from './producer.ts'
import type { End } from './ring.ts'

export class ConnectionObject<T = unknown> extends SharedObject<ConnectionState> implements AsyncIterable<T> {
  constructor(placement: Placement) {
    const state = stateAt(placement, ConnectionState)
    super(placement, state)
    if (!state.join()) {
      const error = segmentError('ERR_TOO_MANY_WAITERS', { ...this.subject, limit: HOLDERS })
      super.close()
      throw error
    }
  }

  /** Accepts only bytes and plain values from now on, for an untrusted peer; any other message arrives as undefined. @internal */
  distrust(): this {
    const { incoming } = this.state
    if (incoming !== undefined) incoming.trusts = false
    return this
  }

  /** Whether this end receives. */
  get isReadable(): boolean {
    return this.state.incoming !== undefined
  }

  /** Whether this end sends. */
  get isWritable(): boolean {
    return this.state.outgoing !== undefined
  }

  /**
   * Sends a copy of a message. Waits for room without blocking the event loop.
   * @throws {@link ShareError} `ERR_TIMEOUT`, `ERR_TOO_LARGE`, `ERR_CLOSED` and `DataCloneError` as {@link Queue.put};
   * `ERR_ENDED` when no process has the other end; `ERR_ONE_WAY` when this end only receives.
   */
  async send(message: T, options: WaitOptions = NO_OPTIONS): Promise<void> {
    await this.#outgoing.put(this, message, options)
  }

  /**
   * Does the same as `send`, but blocks the thread and the event loop: signal handlers, timers and I/O do not run during the
   * wait. For scripts and workers.
   *
   * @throws as {@link send}.
   */
  sendSync(message: T, options?: SyncWaitOptions): void {
    this.#outgoing.putSync(this, message, options)
  }

  /** Sends a copy of a message if there is room. Returns whether it did. @throws as {@link send}, except `ERR_TIMEOUT`. */
  trySend(message: T): boolean {
    return this.#outgoing.tryPut(this, message)
  }

  /**
   * Receives the next message. Waits for one without blocking the event loop.
   *
   * @remarks A pending `recv` keeps the process alive, unless {@link unref} was called.
   * @throws {@link ShareError} `ERR_TIMEOUT` after `timeoutMs`; `ERR_ENDED` when no process has the other end and no message is
   * left; `ERR_ONE_WAY` when this end only sends; `ERR_CLOSED`; `EMFILE`, `ENFILE`, `ENOMEM` as {@link Queue.get}. The signal's
   * reason when it aborts.
   */
  async recv(options: WaitOptions = NO_OPTIONS): Promise<T> {
    return this.#received(await this.#incoming.get(this, options))
  }

  /**
   * Does the same as `recv`, but blocks the thread and the event loop: signal handlers, timers and I/O do not run during the
   * wait. For scripts and workers.
   *
   * @throws as {@link recv}.
   */
  recvSync(options?: SyncWaitOptions): T {
    return this.#received(this.#incoming.getSync(this, options))
  }

  /** Receives the next message, if there is one, as `{ value }`. @throws as {@link recv}, except `ERR_TIMEOUT`. */
  tryRecv(): { readonly value: T } | undefined {
    const got = this.#incoming.tryGet(this)
    return got === NOT_NOW ? undefined : { value: this.#received(got as { value: unknown } | typeof ENDED) }
  }

  /**
   * Whether `recv` would return at once, because there is a message or the pipe has ended. Waits for this up to `timeoutMs`, and
   * then returns false. By default it does not wait.
   * @throws {@link ShareError} `ERR_CLOSED`, `ERR_ONE_WAY`. The signal's reason when it aborts.
   */
  async poll(options: WaitOptions = NO_OPTIONS): Promise<boolean> {
    return await this.#incoming.poll(this, options)
  }

  /**
   * Does the same as `poll`, but blocks the thread and the event loop: signal handlers, timers and I/O do not run during the
   * wait. For scripts and workers.
   *
   * @throws as {@link poll}.
   */
  pollSync(options: SyncWaitOptions = NO_OPTIONS): boolean {
    return this.#incoming.pollSync(options)
  }

  /** Counts the process that will attach as a holder of the end from now on. @internal */
  [FOR_CHILD](): HeldHandle {
    const held = heldHandle(() => this.handle)
    const { state } = this
    if (!state.join()) {
      held.release()
      throw segmentError('ERR_TOO_MANY_WAITERS', { ...this.subject, limit: HOLDERS })
    }
    const release = () => {
      state.leave()
      held.release()
    }
    return { ...held, release }
  }

  /** Closes this object. If it was the last one of this end, the pipe ends for the other end. Idempotent. */
  override close(): void {
    if (SharedObject.isClosed(this)) return
    this.state.leave()
    super.close()
  }

  /** Receives messages until no process has the other end and no message is left. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.consume()
  }

  /**
   * Receives messages until no process has the other end and no message is left, or the signal aborts. After the signal, the loop
   * ends after the current message, and the others stay in the pipe. Works like {@link Queue.consume}.
   * @throws {@link ShareError} `ERR_ONE_WAY`, `ERR_CLOSED`, as {@link recv}. `TypeError` for other options.
   */
  consume(options?: ConsumeOptions): AsyncGenerator<T, void, undefined> {
    return consume<T>(async (waitOptions) => this.#incoming.get(this, waitOptions), options)
  }

  /** @internal */
  protected override shownState(): unknown {
    const { incoming } = this.state
    return { isReadable: this.isReadable, isWritable: this.isWritable, ...(incoming && { size: incoming.size }) }
  }

  get #incoming(): Consumer {
    const { incoming } = this.state
    if (incoming === undefined) throw segmentError('ERR_ONE_WAY', { ...this.subject, does: 'sends' })
    return incoming
  }

  get #outgoing(): Producer {
    const { outgoing } = this.state
    if (outgoing === undefined) throw segmentError('ERR_ONE_WAY', { ...this.subject, does: 'receives' })
    return outgoing
  }

  #received(got: { readonly value: unknown } | typeof ENDED): T {
    if (got === ENDED) throw segmentError('ERR_ENDED', { ...this.subject, why: 'other end closed' })
    return got.value as T
  }
}

/** The class of {@link Connection}. `new Pipe()` and `attach` make connections. */
export interface ConnectionConstructor {
  /** Attaches to an end by its handle. @throws {@link ShareError} as {@link SharedMemory.attach}; `ERR_TOO_MANY_WAITERS`. */
  attach<T = unknown>(handle: Handle, options?: AttachOptions): Connection<T>
  readonly prototype: Connection
  [Symbol.hasInstance](value: unknown): value is Connection
}

/**
 * One end of a {@link Pipe}. Several processes, workers and objects may have the same end; each message goes to one of them.
 *
 * @remarks The pipe ends for this side when all objects of the other end are closed or their processes have ended. The end of a
 * killed process is noticed within a tenth of a second. Messages that are in the pipe can still be received; then `recv` rejects
 * with `ERR_ENDED` and iteration ends. Keep an end open until the process that gets its handle has attached. A {@link Process}
 * does that for its arguments. Messages are copied as in a {@link Queue}. Corresponds to Python's
 * `multiprocessing.connection.Connection`.
 */
export const Connection = defineKind({
  name: 'Connection',
  Class: ConnectionObject,
  spec(...given: unknown[]): never {
    throw typeError('Connection', 'made by new Pipe() or Connection.attach()', given)
  },
  place: (handle, options) => attachEnd(handle, (handle as Handle)?.cell as End, options),
  isMember: false,
}) as unknown as ConnectionConstructor
/** One end of a {@link Pipe}. */
export type Connection<T = unknown> = ConnectionObject<T>

/** Both ends of a pipe. When the pipe is not duplex, the first end receives and the second one sends. Disposing closes both. */
export type PipeEnds<T = unknown> = readonly [Connection<T>, Connection<T>] & Disposable

/** The type of {@link Pipe}. */
export interface PipeConstructor {
  /**
   * Makes an anonymous pipe; other processes attach to its connections through their handles.
   * @throws {@link ShareError} `ENOSPC`, `ENOMEM`, `EMFILE` when the system has no room.
   */
  new <T = unknown>(options?: PipeOptions): PipeEnds<T>
  /** Makes a pipe of that name. @throws {@link ShareError} `EEXIST` when the name exists; otherwise as the constructor. */
  create<T = unknown>(name: string, options?: PipeOptions): PipeEnds<T>
  /** Attaches to an end, 0 or 1, of the pipe of that name. @throws {@link ShareError} as {@link SharedMemory.attach}. */
  attach<T = unknown>(name: string, end: 0 | 1, options?: AttachOptions): Connection<T>
}

/**
 * Two connections: each receives the messages of the other.
 *
 * @remarks Corresponds to Python's `multiprocessing.Pipe`. Keep one end, send the handle of the other one to another process, and
 * close your object of that end once the other process has attached. Only then does the pipe end when that process is gone.
 * @example
 * ```ts
 * import { Pipe } from 'procshare'
 * const [ours, theirs] = new Pipe()
 * await ours.send({ question: 6 * 9 })
 * console.assert(theirs.recvSync() !== undefined)
 * theirs.close()
 * console.assert((await ours.poll()) === true) // the end
 * ours.close()
 * ```
 */
export const Pipe: PipeConstructor = Object.assign(
  function Pipe(options?: PipeOptions) {
    return endsOf(undefined, options)
  } as unknown as new <T>(
    options?: PipeOptions,
  ) => PipeEnds<T>,
  {
    create: <T>(name: string, options?: PipeOptions) => endsOf<T>(assertedName(name), options),
    attach: <T>(name: string, end: End, options?: AttachOptions) =>
      connectionAt<T>(attachEnd(assertedName(name), end, takeAttachOptions(options))),
  },
)

function endsOf<T>(name: string | undefined, options: PipeOptions | undefined): PipeEnds<T> {
  const segment = createPipe(name, options)
  const first = connectionAt<T>(placementOf(segment, 0))
  const second = connectionAt<T>(placementOf(segment, 1))
  const close = () => {
    first.close()
    second.close()
  }
  return defineProperty([first, second] as unknown as PipeEnds<T>, Symbol.dispose, { value: close })
}

function connectionAt<T>(placement: Placement): Connection<T> {
  try {
    return new ConnectionObject(placement)
  } catch (error) {
    placement.attachment.abandon()
    throw error
  }
}
