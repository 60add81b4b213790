/** Every kind of object that a SharedState can have: how to describe it, to change it, and to see that it has changed. */
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  type LockGuard,
  type Member,
  Queue,
  RawArray,
  RawValue,
  RLock,
  Semaphore,
  SharedArray,
  SimpleQueue,
  Struct,
  Value,
} from 'procshare'

export const Point = Struct({ x: 'd', label: ['c', 8] })

export interface MemberKind {
  readonly title: string
  /** The contents of its handle. */
  readonly kind: string
  readonly member: () => Member<Disposable>
  /** Leaves a trace in the object. */
  readonly use: (object: never) => unknown
  /** Its state; different after `use`. */
  readonly look: (object: never) => unknown
}

/** Lets TypeScript know what `use` and `look` take. */
function row<T extends Disposable>(
  title: string,
  kind: string,
  member: () => Member<T>,
  use: (object: T) => unknown,
  look: (object: T) => unknown,
): MemberKind {
  return { title, kind, member, use, look }
}

const lockOf = ({ lock }: { lock: Lock | RLock }): unknown => [lock.locked, lock.owner !== undefined]
const hold = (lock: Lock | RLock): LockGuard => lock.acquireSync()

export const MEMBER_KINDS: readonly MemberKind[] = [
  row(
    "Value('i')",
    'Value',
    () => Value('i', 3),
    (value) => value.add(4),
    (value) => value.load(),
  ),
  row(
    "Value('q')",
    'Value',
    () => Value('q', 3n),
    (value) => value.update((n) => n - 2n ** 40n),
    (value) => value.value,
  ),
  row(
    "Value('?')",
    'Value',
    () => Value('?', true),
    (value) => value.exchange(false),
    (value) => value.value,
  ),
  row(
    "Value('u')",
    'Value',
    () => Value('u', 'x'),
    (value) => {
      value.value = 'ÿ'
    },
    (value) => value.value,
  ),
  row(
    'a Value whose lock is held',
    'Value',
    () => Value('d', 0.5),
    (value) => hold(value.lock),
    lockOf,
  ),
  row(
    'a Value of a struct',
    'Value',
    () => Value(Point, { x: 1, label: 'one' }),
    (value) => {
      value.value.x = -1
    },
    (value) => value.snapshot(),
  ),
  row(
    'RawValue',
    'Value',
    () => RawValue('B', 250),
    (value) => value.add(5),
    (value) => value.value,
  ),
  row(
    "SharedArray('d')",
    'SharedArray',
    () => SharedArray('d', [1, 2, 3]),
    (array) => array.fill(7),
    (array) => [...array],
  ),
  row(
    "SharedArray('b') of odd length",
    'SharedArray',
    () => SharedArray('b', 3),
    (array) => array.set([-1, -1, -1]),
    (array) => [...array],
  ),
  row(
    'an empty SharedArray whose lock is held',
    'SharedArray',
    () => SharedArray('i', 0),
    (array) => hold(array.lock),
    (array) => [array.length, lockOf(array)],
  ),
  row(
    "SharedArray('c')",
    'SharedArray',
    () => SharedArray('c', 'text'),
    (array) => {
      array.value = 'new'
    },
    (array) => array.value.toString(),
  ),
  row(
    'a SharedArray of structs',
    'SharedArray',
    () => SharedArray(Point, [{ x: 1 }, { x: 2 }]),
    (array) => array.set(1, { x: 9, label: 'nine' }),
    (array) => array.snapshot(),
  ),
  row(
    'RawArray',
    'SharedArray',
    () => RawArray('h', [1, -1]),
    (array) => Atomics.add(array, 1, 8),
    (array) => [...array],
  ),
  row(
    'Lock',
    'Lock',
    () => Lock(),
    (lock) => hold(lock),
    (lock) => [lock.locked, lock.owner],
  ),
  row(
    'RLock',
    'RLock',
    () => RLock(),
    (lock) => [hold(lock), hold(lock)],
    (lock) => [lock.locked, lock.owner],
  ),
  row(
    'Semaphore',
    'Semaphore',
    () => Semaphore(2),
    (semaphore) => semaphore.release(3),
    ({ value }) => value,
  ),
  row(
    'a recoverable Semaphore',
    'Semaphore',
    () => Semaphore(2, { recoverable: true }),
    (semaphore) => semaphore.tryAcquire(),
    ({ value }) => value,
  ),
  row(
    'BoundedSemaphore',
    'BoundedSemaphore',
    () => BoundedSemaphore(1),
    (semaphore) => semaphore.acquireSync(),
    ({ value }) => value,
  ),
  row(
    'Condition',
    'Condition',
    () => Condition(),
    (condition) => hold(condition.lock),
    lockOf,
  ),
  row(
    'Event',
    'Event',
    () => Event(),
    (event) => event.set(),
    ({ isSet }) => isSet,
  ),
  row(
    'Barrier',
    'Barrier',
    () => Barrier(2),
    (barrier) => barrier.abort(),
    ({ broken, waiting }) => [broken, waiting],
  ),
  row(
    'Queue',
    'Queue',
    () => Queue<number>({ maxSize: 3, byteLength: 64 }),
    (queue) => queue.putSync(1),
    ({ size, maxSize, byteLength }) => [size, maxSize, byteLength],
  ),
  row(
    'a Queue that spills',
    'Queue',
    () => Queue<Uint8Array>({ byteLength: 256, spill: true }),
    (queue) => queue.putSync(new Uint8Array(10_000)),
    ({ size }) => size,
  ),
  row(
    'JoinableQueue',
    'JoinableQueue',
    () => JoinableQueue<number>({ byteLength: 1_000 }),
    (queue) => [queue.tryPut(1), queue.getSync()],
    ({ unfinished, size }) => [unfinished, size],
  ),
  row(
    'SimpleQueue',
    'SimpleQueue',
    () => SimpleQueue<string>({ byteLength: 1_000 }),
    (queue) => queue.put('x'),
    ({ isEmpty }) => isEmpty,
  ),
]
