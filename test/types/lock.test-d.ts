// Compiled, never run: what TypeScript knows, and what it refuses.
import { type AnyLock, attach, type Handle, Lock, type LockGuard, RLock, type Shareable } from 'procshare'
import { exactly } from './exactly.ts'

const lock = new Lock()
exactly<Promise<LockGuard>>()(lock.acquire())
exactly<Promise<LockGuard>>()(lock.acquire({ timeoutMs: 5, signal: AbortSignal.timeout(5) }))
exactly<LockGuard>()(lock.acquireSync())
exactly<LockGuard>()(lock.acquireSync({ timeoutMs: Infinity }))
exactly<LockGuard | undefined>()(lock.tryAcquire())
exactly<boolean>()(lock.locked)
exactly<{ pid: number; threadId: number } | undefined>()(lock.owner)
exactly<boolean>()(lock.acquireSync().abandoned)
exactly<boolean>()(lock.acquireSync().released)
exactly<void>()(lock.acquireSync().release())
exactly<Lock>()(lock.ref())
exactly<Handle>()(lock.toJSON())
exactly<Lock>()(Lock.open('name', { persist: true }))
exactly<Lock>()(Lock.create('name'))
exactly<RLock>()(RLock.attach('name', { anyOwner: true }))
exactly<Shareable>()(attach(lock.handle))
export const either: AnyLock[] = [lock, new RLock()]

exactly<Promise<number>>()(lock.run(() => 5))
exactly<Promise<number>>()(lock.run(async () => 5))
exactly<Promise<boolean>>()(lock.run(({ abandoned }) => abandoned, { timeoutMs: 5 }))
exactly<number>()(lock.runSync(() => 5))
exactly<boolean>()(lock.runSync(({ abandoned }) => abandoned))

using guard = lock.acquireSync()
using maybe = lock.tryAcquire()
using disposed = new Lock()
using waited = await lock.acquire()

export { disposed, guard, maybe, waited }

// @ts-expect-error
new Lock('name')
// @ts-expect-error
new Lock({ timeoutMs: 5 })
// @ts-expect-error
Lock.create()
// @ts-expect-error
Lock.attach(5)
// @ts-expect-error
lock.acquire({ timeout: 5 })
// @ts-expect-error
lock.acquire({ timeoutMs: '5' })
// @ts-expect-error
lock.acquire(5)
// @ts-expect-error
lock.acquireSync({ signal: AbortSignal.abort() })
// @ts-expect-error
lock.run()
// @ts-expect-error
lock.run('fn')
// @ts-expect-error
lock.release()
// @ts-expect-error
lock.locked = true
// @ts-expect-error
guard.abandoned = true
// @ts-expect-error
attach('name')
// @ts-expect-error
attach({ kind: 'Lock', name: 'x' })
