/** RingListener: where blocking clients of the same machine come in, without a socket. */
import type { ServerCore } from './server-core.ts'

export class RingListener {
  static listen(_core: ServerCore): RingListener | undefined {
    return undefined
  }

  close(): void {}
}
