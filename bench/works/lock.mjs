/** Uncontended lock + unlock. */
import { Subject } from '../subject.mjs'

const C = 'C: pthread_mutex_lock + unlock, robust'

export const lock = {
  name: 'lock',
  title: 'Uncontended lock + unlock',
  unit: 'ns',
  // Unlike C, acquireSync() creates a guard, and runSync() calls a function.
  async rows({ compiler, python, unique }) {
    const against = { against: C, goal: 'lock' }
    return [
      { system: C, process: compiler.start('robust_mutex', unique(), 'lock') },
      { system: 'procshare: lock.acquireSync().release()', process: Subject.script('lock', 'acquireSync'), ...against },
      { system: 'procshare: lock.runSync(fn)', process: Subject.script('lock', 'runSync'), ...against },
      { system: 'procshare: RLock, the same', process: Subject.script('lock', 'recursive'), ...against },
      python && {
        system: `Python ${python.version}: with lock: pass`,
        process: python.start('lock'),
        against: C,
      },
    ]
  },
}
