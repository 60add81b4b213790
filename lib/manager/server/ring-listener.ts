/**
 * RingListener: where blocking clients of the same machine come in. Each makes a pair of rings and puts the handle of the server's end
 * into a queue in shared memory, which takes no turn of its event loop. They prove that they know the key like all others.
 */
import type { Handle } from '../../memory/handle.ts'
import { Connection } from '../../queue/pipe.ts'
import { Queue } from '../../queue/queue.ts'
import { RingTransport } from '../wire/ring-transport.ts'
import type { ServerCore } from './server-core.ts'

/** So many requests in a row may be unreadable. Then blocking clients come through sockets. */
const MOST_FAILURES = 1000

export class RingListener {
  readonly #requests: Queue<Handle>
  #isClosed = false

  private constructor(core: ServerCore, requests: Queue<Handle>) {
    this.#requests = requests
    core.rings = requests.handle
    void this.#listen(core)
  }

  /** Begins to listen; undefined where there is no shared memory, or none left: blocking clients come through sockets then. */
  static listen(core: ServerCore): RingListener | undefined {
    try {
      return new RingListener(core, new Queue<Handle>().unref()) // what keeps a server alive is its socket
    } catch {
      return undefined
    }
  }

  close(): void {
    this.#isClosed = true
    this.#requests.close()
  }

  async #listen(core: ServerCore): Promise<void> {
    for (let failures = 0; !this.#isClosed && failures < MOST_FAILURES; ) {
      let handle: Handle
      try {
        handle = await this.#requests.get()
        failures = 0
      } catch {
        // Something that cannot be read; or the queue itself is damaged, and will not get better.
        failures++
        continue
      }
      try {
        core.accept(new RingTransport(Connection.attach<Uint8Array>(handle)))
      } catch {
        // What was put there is no end of a pipe, or its client is gone already.
      }
    }
  }
}
