/**
 * RingListener: accepts blocking clients of the same machine. Each client makes a pair of rings and puts the handle of the server's end
 * into a queue in shared memory. This needs no turn of the client's event loop. The clients authenticate like all others.
 */
import { hasCode } from '../../errors/share-error.ts'
import type { Handle } from '../../memory/handle.ts'
import { withoutPatience } from '../../memory/segment.ts'
import { Connection as PipeEnd } from '../../queue/pipe.ts'
import { Queue } from '../../queue/queue.ts'
import { RingTransport } from '../wire/ring-transport.ts'
import type { ServerCore } from './server-core.ts'

/** The number of requests in a row before the event loop has its turn; an unreadable one counts as UNREADABLE. */
const MAX_IN_A_ROW = 64
const UNREADABLE = 16

/** Errors of the queue itself, which are final. */
const DAMAGED = ['ERR_CLOSED', 'ERR_CORRUPT', 'ERR_ENDED'] as const

export class RingListener {
  readonly #requests: Queue<unknown>
  #isClosed = false

  private constructor(core: ServerCore, requests: Queue<unknown>) {
    this.#requests = requests
    core.rings = requests.handle
    requests.unref() // waiting for clients does not keep the process alive
    void this.#listen(core)
  }

  /** Begins to listen. Returns undefined without free shared memory; then blocking clients connect through sockets. */
  static listen(core: ServerCore): RingListener | undefined {
    try {
      return new RingListener(core, new Queue<unknown>().unref().distrust()) // the socket keeps the server alive
    } catch {
      return undefined
    }
  }

  close(): void {
    this.#isClosed = true
    this.#requests.close()
  }

  /** Serves the queue, regardless of its content. Clients connect through sockets only when the queue is closed or damaged. */
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
        // This does not wait for a segment that a client leaves unfinished.
        const rings = withoutPatience(() => PipeEnd.attach<Uint8Array>(request as Handle))
        core.accept(new RingTransport(rings))
      } catch {
        work += UNREADABLE // the item is not an end of a pipe, or its client is gone
      }
    }
  }
}
