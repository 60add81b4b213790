/** Acquires and releases an uncontended lock: `lock.mjs FORM`. */
import { Lock, RLock } from 'procshare'
import { serve } from './serve.mjs'

const forms = {
  acquireSync() {
    const lock = new Lock()
    return (operations) => {
      for (let i = 0; i < operations; i++) lock.acquireSync().release()
    }
  },
  runSync() {
    const lock = new Lock()
    const nothing = () => {}
    return (operations) => {
      for (let i = 0; i < operations; i++) lock.runSync(nothing)
    }
  },
  recursive() {
    const lock = new RLock()
    return (operations) => {
      for (let i = 0; i < operations; i++) lock.acquireSync().release()
    }
  },
}

await serve(forms[process.argv[2]]())
