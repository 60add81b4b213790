/**
 * RingListener: where blocking clients of the same machine come in. Each makes a pair of rings and puts the handle of the server's end
 * into a queue in shared memory, which takes no turn of its event loop. They prove that they know the key like all others.
 */
import { hasCode } from '../../errors/share-error.ts'
import type { Handle } from '../../memory/handle.ts'
import { withoutPatience } from '../../memory/segment.ts'
import { Connection as PipeEnd } from '../../queue/pipe.ts'
import { Queue } from '../../queue/queue.ts'
import { RingTransport } from '../wire/ring-transport.ts'
import type { ServerCore } from './server-core.ts'

/** So many requests are looked at in a row before others have their turn; unreadable ones count for many. */
const MAX_IN_A_ROW = 64
const UNREADABLE = 16

/** What becomes of the queue itself; it will not get better. */
const DAMAGED = ['ERR_CLOSED', 'ERR_CORRUPT', 'ERR_ENDED'] as const

export class RingListener {
  readonly #requests: Queue<unknown>
  #isClosed = false

  private constructor(core: ServerCore, requests: Queue<unknown>) {
    this.#requests = requests
    core.rings = requests.handle
    requests.unref() // clients that may come keep nothing
    void this.#listen(core)
  }

  /** Begins to listen; undefined where there is no shared memory, or none left: blocking clients come through sockets then. */
  static listen(core: ServerCore): RingListener | undefined {
    try {
      return new RingListener(core, new Queue<unknown>().unref().distrust()) // what keeps a server alive is its socket
    } catch {
      return undefined
    }
  }

  close(): void {
    this.#isClosed = true
    this.#requests.close()
  }

  /** Whatever is put into the queue, others find it listening; only when it is closed or damaged do clients come through sockets. */
  async #listen(core: ServerCore): Promise<void> {
    for (let work = 0; !this.#isClosed; work++) {
      if (work >= MAX_IN_A_ROW) {
        work = 0
        await new Promise((resolve) => setImmediate(resolve))
        if (this.#isClosed) return
      }
      let request: unknown
      try {
        request = await this.#requests.get()
      } catch (error) {
        if (DAMAGED.some((code) => hasCode(error, code))) {
          core.rings = undefined
          return
        }
        work += UNREADABLE
        continue
      }
      try {
        // Never waiting for a segment that a client leaves half-made.
        const rings = withoutPatience(() => PipeEnd.attach<Uint8Array>(request as Handle))
        core.accept(new RingTransport(rings))
      } catch {
        work += UNREADABLE // it is no end of a pipe, or its client is gone already
      }
    }
  }
}
