/** A dict in a manager's server: get and set, one at a time and pipelined, by 1, 4 and 32 clients. */
import { Subject } from '../subject.mjs'

const script = (...args) => Subject.script('manager', ...args.map(String))
/** A client and a server take some ten thousand calls until V8 has compiled them. */
const shared = { name: 'manager', unit: 'µs', turnMs: 50, warmUpMs: 2000, rounds: 15 }
const pythonName = (python) => `Python ${python?.version}: d[k] = v, d[k]`

/** 1, 4 and 32 clients, each a process; goals are for one. */
function clientsOf(form, what, first) {
  return [1, 4, 32].map((clients) => ({
    system: `procshare: ${what}, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
    process: script(form, clients),
    ...(clients === 1 ? first : { against: first.against }),
  }))
}

export const manager = [
  {
    ...shared,
    title: 'Manager: dict get and set, one at a time',
    async rows({ python }) {
      const system = pythonName(python)
      const against = python && { against: system }
      return [
        python && { system, process: python.start('manager') },
        ...clientsOf('sync', 'blocking form', { ...against, goal: python && 'manager-sync' }),
        ...clientsOf('async', 'await', { ...against, goal: python && 'manager-async' }),
      ]
    },
  },
  {
    ...shared,
    title: 'Manager: dict get and set, 100 pipelined',
    async rows({ python }) {
      const system = pythonName(python)
      return [
        python && { system, process: python.start('manager') },
        ...clientsOf('pipelined', 'Promise.all', { against: python && system, goal: python && 'manager-pipelined' }),
      ]
    },
  },
]
