/** A dict in a manager's server: get and set, one at a time and pipelined, by one client and by several. */
import { Subject } from '../subject.mjs'

const shared = { name: 'manager', unit: 'µs', rounds: 15 }
/** V8 compiles a client and a server within some ten thousand calls. */
const alone = { turnMs: 50, warmUpMs: 2000 }
const together = { turnMs: 200, warmUpMs: 8000 }

const FORMS = [
  { form: 'sync', what: 'blocking form', goal: 'manager-sync' },
  { form: 'async', what: 'await', goal: 'manager-async' },
  { form: 'pipelined', what: 'Promise.all of 100', goal: 'manager-pipelined' },
]

/** Runs alone, because the processes of many clients are never quite idle. */
function workOf(clients) {
  return {
    ...shared,
    ...(clients === 1 ? alone : together),
    title: `Manager: dict get and set, ${clients === 1 ? 'one client' : `${clients} clients`}`,
    rows({ python }) {
      const system = `Python ${python?.version}: d[k] = v, d[k]`
      const against = python && system
      return [
        python && { system, process: python.start('manager', String(clients)) },
        ...FORMS.map(({ form, what, goal }) => ({
          system: `procshare: ${what}`,
          process: Subject.script('manager', form, String(clients)),
          against,
          goal: clients === 1 && python ? goal : undefined,
        })),
      ]
    },
  }
}

export const manager = [1, 4, 32].map(workOf)
