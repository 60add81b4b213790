/** How managers make objects: by a request to the server's root. */
import { assertOptions, assertString } from '../../validate.ts'
import type { Channel } from './channel.ts'

/** How a managed object is made. */
export interface NameOptions {
  /**
   * Under which every client gets the same object: the first who asks makes it, and it lives until `unlink(name)` or the end of the
   * server. Without a name it lives as long as somebody has a proxy for it, or another object contains it.
   */
  readonly name?: string
}

export abstract class FactoryBase {
  /** @internal */
  protected readonly channel: Channel

  /** @internal */
  constructor(channel: Channel) {
    this.channel = channel
  }

  /** Makes an object of a type, or finds the one of that name. A promise of its proxy, or in the blocking form the proxy. @internal */
  protected make<P>(typeName: string, args: readonly unknown[], options: NameOptions = {}): Promise<P> {
    assertOptions('options', options, ['name'])
    if (options.name !== undefined) assertString('options.name', options.name)
    return this.ask('create', typeName, args, options.name)
  }

  /** Calls a method of the server itself. @internal */
  protected ask<R>(method: string, ...args: unknown[]): Promise<R> {
    return this.channel.call(undefined, method, args) as Promise<R>
  }
}
