/**
 * Gets and sets values of a dict in a manager's server: `manager.mjs FORM CLIENTS`, each client in a process of its own.
 *
 * sync       the blocking form, one call at a time
 * async      one call at a time, awaited
 * pipelined  100 calls at a time
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Manager, Queue } from 'procshare'
import { serve } from './serve.mjs'

const AT_ONCE = 100

const forms = {
  async sync({ manager }) {
    const dict = manager.sync.dict('d')
    return (operations) => {
      for (let i = 0; i < operations; i += 2) {
        dict.set('k', i)
        dict.get('k')
      }
    }
  },
  async async({ manager }) {
    const dict = await manager.dict('d')
    return async (operations) => {
      for (let i = 0; i < operations; i += 2) {
        await dict.set('k', i)
        await dict.get('k')
      }
    }
  },
  async pipelined({ manager }) {
    const dict = await manager.dict('d')
    return async (operations) => {
      for (let i = 0; i < operations; i += AT_ONCE) {
        const calls = []
        for (let j = i; j < Math.min(i + AT_ONCE, operations); j += 2) calls.push(dict.set('k', j), dict.get('k'))
        await Promise.all(calls)
      }
    }
  },
}

const [role, ...args] = process.argv.slice(2)
if (role === 'client') {
  const [form, address, orders, acks] = JSON.parse(args[0])
  const todo = Queue.attach(orders)
  const done = Queue.attach(acks)
  const run = await forms[form]({ manager: await Manager.connect({ address }) })
  done.putSync(0)
  for (;;) {
    await run(todo.getSync())
    done.putSync(0)
  }
}

const clients = Number(args[0])
const manager = await Manager.start()
if (clients === 1) await serve(await forms[role]({ manager }))
else await serveTogether()
await manager.shutdown()
process.exit()

/** Distributes the operations over several clients, all of which start before the first one ends. */
async function serveTogether() {
  const acks = new Queue()
  const children = []
  process.once('exit', () => children.forEach((child) => void child.kill('SIGKILL')))
  const teams = Array.from({ length: clients }, () => {
    const orders = new Queue()
    const order = JSON.stringify([role, manager.address, orders, acks])
    children.push(fork(fileURLToPath(import.meta.url), ['client', order], { execArgv: [] }))
    return orders
  })
  for (let i = 0; i < clients; i++) acks.getSync()
  await serve((operations) => {
    for (const orders of teams) orders.putSync(Math.ceil(operations / clients))
    for (let i = 0; i < clients; i++) acks.getSync()
  })
}
