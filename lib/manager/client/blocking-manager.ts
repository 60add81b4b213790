/** BlockingManager: the blocking form of a manager. It has the methods of the asynchronous form, over a channel that blocks. */
import { typeError } from '../../validate.ts'
import { ManagedObjects } from './objects.ts'
import { ManagedProxy } from './proxy.ts'
import { remoteOf } from './remote.ts'

export class BlockingManager extends ManagedObjects {
  of(proxy: ManagedProxy): ManagedProxy {
    if (!(proxy instanceof ManagedProxy)) throw typeError('proxy', 'a proxy of a managed object', proxy)
    const { id, typeName, name, exposes } = remoteOf(proxy)!
    return this.channel.adopt([id, typeName, name, exposes]) as ManagedProxy
  }
}
