// Compiled, never run: what TypeScript knows, and what it refuses.
import {
  type Array as AnyArray,
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  type Handle,
  JoinableQueue,
  Lock,
  type Member,
  Queue,
  RawArray,
  RawValue,
  RLock,
  Semaphore,
  SharedArray,
  SharedState,
  SimpleQueue,
  Struct,
  type StructType,
  Value,
} from 'procshare'
import { exactly } from './exactly.ts'

const Point = Struct({ x: 'd', label: ['c', 8] })
const schema = {
  hits: Value('i'),
  total: Value('q', 5n, { lock: false }),
  flag: RawValue('?'),
  point: Value(Point, { x: 1 }),
  temps: SharedArray('d', 1000),
  big: RawArray('Q', [1n]),
  points: SharedArray(Point, 3),
  jobs: Queue<{ path: string }>({ maxSize: 10 }),
  tasks: JoinableQueue<number>(),
  plain: SimpleQueue(),
  lock: Lock(),
  rlock: RLock(),
  slots: Semaphore(2, { recoverable: true }),
  bounded: BoundedSemaphore(),
  changed: Condition(),
  ready: Event(),
  start: Barrier(2, { action: () => {}, timeoutMs: 5 }),
}
const app = SharedState.open('app', schema, { persist: true, mode: 0o600 })

exactly<number>()(app.hits.value)
exactly<bigint>()(app.total.value)
exactly<boolean>()(app.flag.value)
exactly<number>()(app.point.value.x)
exactly<number | undefined>()(app.temps[0])
exactly<bigint | undefined>()(app.big[0])
exactly<number>()(app.points.at(0)!.x)
exactly<Promise<{ path: string }>>()(app.jobs.get())
exactly<number>()(app.tasks.getSync())
exactly<unknown>()(app.plain.getSync())
exactly<Lock>()(app.lock)
exactly<RLock>()(app.rlock)
exactly<Semaphore>()(app.slots)
exactly<BoundedSemaphore>()(app.bounded)
exactly<Condition>()(app.changed)
exactly<Event>()(app.ready)
exactly<Barrier>()(app.start)
exactly<Promise<number>>()(app.lock.run(() => 5))

exactly<string>()(app.name)
exactly<Handle>()(app.handle)
exactly<Handle>()(app.toJSON())
exactly<void>()(app.close())
exactly<void>()(app.unlink())

exactly<Member<Value<'i'>>>()(Value('i'))
exactly<bigint>()(new SharedState({ n: Value(BigInt64Array) }).n.value)
exactly<number>()(new SharedState({ n: Value('double') }).n.value)
exactly<number>()(new SharedState({ list: SharedArray('ushort', 3) }).list[0]!)
exactly<Member<Lock>>()(Lock())
exactly<Member<Queue<number>>>()(Queue<number>())
exactly<Member<Queue<unknown>>>()(Queue())
exactly<Member<SharedArray<'d'>>>()(SharedArray('d', [1, 2]))

using made = new SharedState(schema)
using created = SharedState.create('app', schema)
using attached = SharedState.attach(made.handle, schema, { anyOwner: true })
exactly<SharedState<typeof schema>>()(made)
exactly<SharedState<typeof schema>>()(created)
exactly<number>()(attached.hits.value)
export const members: AnyArray<'d'>[] = [made.temps]
export const inline: number = new SharedState({ hits: Value('i') }).hits.value
export const shape: StructType<typeof Point extends StructType<infer F> ? F : never> = Point

using unknown = SharedState.attach('app')
exactly<Handle>()(unknown.hits!.handle)

// Arrays of members.
const lock = { member: 'locks[0]' }
const lists = {
  workers: Array.from({ length: 8 }, () => Value('d', 0, { lock })),
  locks: [Lock(), Lock()],
  changed: Condition({ lock }),
  pair: [Value('q'), Queue<string>()] as const,
}
using many = SharedState.open('many', lists)
exactly<readonly Value<'d'>[]>()(many.workers)
exactly<readonly Lock[]>()(many.locks)
exactly<readonly [Value<'q'>, Queue<string>]>()(many.pair)
exactly<Promise<string>>()(many.pair[1].get())
using inlined = new SharedState({ pair: [Value('i'), Event()], list: Array.from({ length: 3 }, () => Event()) })
exactly<readonly [Value<'i'>, Event]>()(inlined.pair)
exactly<readonly Event[]>()(inlined.list)
using told = SharedState.attach<{ workers: readonly Value<'d'>[] }>('many')
exactly<number>()(told.workers[0]!.value)

declare const lockObject: Lock
// @ts-expect-error
Value('i', 0, { lock: lockObject })
// @ts-expect-error
SharedArray('i', 3, { lock: lockObject })
// @ts-expect-error
Condition({ lock: lockObject })
// @ts-expect-error
new Value('i', 0, { lock })
// @ts-expect-error
RawValue('i', 0, { lock })
// @ts-expect-error
new SharedState({ list: [Value('i'), 5] })
// @ts-expect-error
many.workers[0] = Value('d')

// @ts-expect-error
app.missing
// @ts-expect-error
app.hits = Value('i')
// @ts-expect-error
app.hits.value = 'text'
// @ts-expect-error
app.total.value = 'text'
// @ts-expect-error
app.jobs.put({ path: 5 })
// @ts-expect-error
unknown.hits.value
// @ts-expect-error
new SharedState()
// @ts-expect-error
new SharedState({ hits: new Value('i') })
// @ts-expect-error
new SharedState({ hits: Value })
// @ts-expect-error
new SharedState({ hits: 'i' })
// @ts-expect-error
new SharedState(schema, { lock: true })
// @ts-expect-error
SharedState.create(schema)
// @ts-expect-error
SharedState.open('app')
// @ts-expect-error
Value('z')
// @ts-expect-error
Value('i', 'text')
// @ts-expect-error
Value('i', 0, { persist: true })
// @ts-expect-error
SharedArray('i', 3, { mode: 0o600 })
// @ts-expect-error
SharedArray('i')
// @ts-expect-error
Queue({ persist: true })
// @ts-expect-error
Semaphore(1, { mode: 0o600 })
// @ts-expect-error
SimpleQueue({ maxSize: 5 })
// @ts-expect-error
Lock({ persist: true })
// @ts-expect-error
Barrier()
// @ts-expect-error
Condition({ lock: true })
// @ts-expect-error
Value('i').value
