import { Condition, Lock, Manager, RLock, type Truthy, Value } from 'procshare'
import { exactly } from './exactly.ts'

interface Job {
  readonly n: number
}
declare const find: () => Job | undefined
declare const findLater: () => Promise<Job | null>
declare const count: () => 0 | 1 | 2
declare const isReady: () => boolean

const condition = new Condition()
exactly<Job>()(await condition.waitFor(find))
exactly<Job>()(await condition.waitFor(findLater))
exactly<Job>()(condition.waitForSync(find))
exactly<1 | 2>()(condition.waitForSync(count))
exactly<true>()(condition.waitForSync(isReady))
exactly<'a'>()('a' as Truthy<'' | 'a' | null | false>)

// The lock comes first, as in Python, or among the options.
using lock = new Lock()
exactly<Condition>()(new Condition(lock))
exactly<Condition>()(new Condition(new Value('i').lock, { persist: true }))
exactly<Condition>()(new Condition({ lock, mode: 0o600 }))
exactly<Condition>()(Condition.create('changed', lock))
exactly<Condition>()(Condition.create('changed', { lock }))
exactly<Condition>()(Condition.open('changed', new RLock(), { mode: 0o600 }))
// @ts-expect-error
new Condition(lock, { lock })
// @ts-expect-error
Condition.create(lock)
// @ts-expect-error
Condition(lock)

const manager = await Manager.start()
const managed = await manager.Condition()
exactly<Job>()(await managed.waitFor(find))
exactly<Job>()(await managed.waitFor(findLater))
exactly<Job>()(manager.sync.of(managed).waitFor(find))

// A value comes before what the proxy has of that name.
const space = manager.sync.Namespace({ name: 'x', level: 1, typeName: 2 })
exactly<string>()(space.name)
exactly<number>()(space.typeName)
space.name = 'y'
space.level = 2
const other = manager.sync.Namespace({ level: 1 })
exactly<string | undefined>()(other.name)
