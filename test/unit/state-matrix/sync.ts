/** Locks and what else is waited for, but for queues, in the state matrix. */
import { Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore } from 'procshare'
import {
  locking,
  lockOfMember,
  type Members,
  NOW,
  owning,
  type Row,
  untilClose,
  waitableMembers,
  waiting,
} from './matrix.ts'

const lockMembers: Members = {
  ...waitableMembers,
  locked: untilClose((lock) => lock.locked),
  owner: untilClose((lock) => lock.owner),
  acquire: { ...untilClose((lock) => lock.acquire(NOW)), held: 'ERR_TIMEOUT' },
  run: { ...untilClose((lock) => lock.run(() => {}, NOW)), held: 'ERR_TIMEOUT' },
  acquireSync: locking((lock) => lock.acquireSync()),
  runSync: locking((lock) => lock.runSync(() => {})),
  tryAcquire: untilClose((lock) => lock.tryAcquire()),
}

const semaphoreMembers: Members = {
  ...waitableMembers,
  value: untilClose((semaphore) => semaphore.value),
  acquire: untilClose((semaphore) => semaphore.acquire(NOW)),
  acquireSync: untilClose((semaphore) => semaphore.acquireSync(NOW)),
  tryAcquire: untilClose((semaphore) => semaphore.tryAcquire()),
  release: untilClose((semaphore) => [semaphore.tryAcquire(), semaphore.release()]),
}

const conditionMembers: Members = {
  ...waitableMembers,
  lock: untilClose((condition) => condition.lock),
  acquire: { ...untilClose((condition) => condition.acquire(NOW)), held: 'ERR_TIMEOUT' },
  run: { ...untilClose((condition) => condition.run(() => {}, NOW)), held: 'ERR_TIMEOUT' },
  acquireSync: locking((condition) => condition.acquireSync()),
  runSync: locking((condition) => condition.runSync(() => {})),
  tryAcquire: untilClose((condition) => condition.tryAcquire()),
  wait: owning((condition) => condition.wait(NOW)),
  waitSync: owning((condition) => condition.waitSync(NOW)),
  waitFor: owning((condition) => condition.waitFor(() => true, NOW)),
  waitForSync: owning((condition) => condition.waitForSync(() => true, NOW)),
  notify: owning((condition) => condition.notify()),
  notifyAll: owning((condition) => condition.notifyAll()),
}

const eventMembers: Members = {
  ...waitableMembers,
  isSet: untilClose((event) => event.isSet),
  set: untilClose((event) => event.set()),
  clear: untilClose((event) => event.clear()),
  wait: waiting((event) => event.wait(NOW)),
  waitSync: waiting((event) => event.waitSync(NOW)),
}

const barrierMembers: Members = {
  ...waitableMembers,
  parties: untilClose((barrier) => barrier.parties),
  timeoutMs: untilClose((barrier) => barrier.timeoutMs),
  waiting: untilClose((barrier) => barrier.waiting),
  broken: untilClose((barrier) => barrier.broken),
  wait: waiting((barrier) => barrier.wait(NOW)),
  waitSync: waiting((barrier) => barrier.waitSync(NOW)),
  abort: untilClose((barrier) => barrier.abort()),
  reset: untilClose((barrier) => barrier.reset()),
}

const itself = (lock: Lock) => lock

export const syncRows: readonly Row[] = [
  { title: 'Lock', make: (name) => Lock.create(name), members: lockMembers, lockOf: itself },
  { title: 'RLock', make: (name) => RLock.create(name), members: lockMembers, lockOf: itself },
  { title: 'Semaphore', make: (name) => Semaphore.create(name), members: semaphoreMembers },
  {
    title: 'BoundedSemaphore that is recoverable',
    make: (name) => BoundedSemaphore.create(name, 2, { recoverable: true }),
    members: semaphoreMembers,
  },
  { title: 'Condition', make: (name) => Condition.create(name), members: conditionMembers, lockOf: lockOfMember },
  { title: 'Event', make: (name) => Event.create(name), members: eventMembers },
  { title: 'Barrier', make: (name) => Barrier.create(name, 2), members: barrierMembers },
]
