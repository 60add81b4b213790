/**
 * RingListener: where blocking clients of the same machine come in. Each makes a pair of rings and puts the handle of the server's end
 * into a queue in shared memory, which takes no turn of its event loop. They prove that they know the key like all others.
 */
import type { Handle } from '../../memory/handle.ts'
import { Connection } from '../../queue/pipe.ts'
import { Queue } from '../../queue/queue.ts'
import { RingTransport } from '../wire/ring-transport.ts'
import type { ServerCore } from './server-core.ts'

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
      return new RingListener(core, new Queue<Handle>())
    } catch {
      return undefined
    }
  }

  close(): void {
    this.#isClosed = true
    this.#requests.close()
  }

  async #listen(core: ServerCore): Promise<void> {
    for (;;) {
      try {
        const handle = await this.#requests.get()
        core.accept(new RingTransport(Connection.attach<Uint8Array>(handle)))
      } catch {
        if (this.#isClosed) return
        // What was put there is no end of a pipe, or its client is gone already.
      }
    }
  }
}
