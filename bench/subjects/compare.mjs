/** One side of bench/compare.mjs: `compare.mjs FOLDER WORK`; says how many operations take a round, then the time of one each time it is asked. */
import { items } from './queue-items.mjs'

const ROUND_MS = 40

/** Each work makes a function of the package that does so many operations. */
export const WORKS = {
  object: (procshare) => putAndGet(procshare, items.object),
  number: (procshare) => putAndGet(procshare, 7),
  text: (procshare) => putAndGet(procshare, 'a text of some length'),
  bytes64: (procshare) => putAndGet(procshare, items.bytes64),
  nested: (procshare) => putAndGet(procshare, { a: { b: [1, 2], c: 'xyz' }, list: ['alpha', 'beta'], when: null }),
  date: (procshare) => putAndGet(procshare, { at: new Date(5), id: 1 }),
  map: (procshare) => putAndGet(procshare, new Map([['a', 1]])),
  many({ Queue }) {
    const queue = new Queue()
    const list = new Array(50).fill(items.object)
    return (operations) => {
      for (let i = 0; i < operations; i += list.length) {
        queue.putManySync(list)
        queue.getManySync(list.length)
      }
    }
  },
  /** An awaited get that a put of the same process serves. */
  served({ Queue }) {
    const queue = new Queue()
    return async (operations) => {
      for (let i = 0; i < operations; i++) {
        const got = queue.get()
        queue.putSync(i)
        await got
      }
    }
  },
  awaited({ Queue }) {
    const queue = new Queue()
    return async (operations) => {
      for (let i = 0; i < operations; i++) {
        await queue.put(i)
        await queue.get()
      }
    }
  },
  update({ Value }) {
    const value = new Value('i')
    return (operations) => {
      for (let i = 0; i < operations; i++) value.update((n) => (n + 1) | 0)
    }
  },
  record({ SharedArray, Struct }) {
    const table = new SharedArray(Struct({ x: 'd', y: 'd' }), 100)
    return (operations) => {
      for (let i = 0; i < operations; i++) table[i % 100].x = i
    }
  },
  create({ Value }) {
    return (operations) => {
      for (let i = 0; i < operations; i++) new Value('i').close()
    }
  },
}

function putAndGet({ Queue }, item) {
  const queue = new Queue()
  return (operations) => {
    for (let i = 0; i < operations; i++) {
      queue.putSync(item)
      queue.getSync()
    }
  }
}

if (process.argv[1] === import.meta.filename) {
  const [folder, work] = process.argv.slice(2)
  const run = WORKS[work](await import(`${folder}/dist/index.js`))
  const time = async (operations) => {
    const start = process.cpuUsage()
    await run(operations)
    const { user, system } = process.cpuUsage(start)
    return ((user + system) * 1e3) / operations
  }
  let operations = 50
  while ((await time(operations)) * operations < ROUND_MS * 1e6) operations *= 2
  for (let i = 0; i < 5; i++) await time(operations)
  process.on('message', async (count) => process.send(await time(count)))
  process.send(operations)
}
