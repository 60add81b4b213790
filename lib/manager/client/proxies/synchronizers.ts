/** The proxies of what clients wait for. */
import './barrier.ts'
import './condition.ts'
import './event.ts'
import './lock.ts'
import './queue.ts'
import './semaphore.ts'
