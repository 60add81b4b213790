/** Items between processes: throughput, round trips, and the growth of the cost. */
import { Subject } from '../subject.mjs'

const SEND = 'Node: process.send, advanced serialization'
const PORT = 'Node: MessagePort to a worker of the same process'
const script = (...args) => Subject.script('queue', ...args.map(String))

/** 1, 2 and 4 producers, with the same number of consumers. */
function pairsOf(item, first) {
  return [1, 2, 4].map((pairs) => ({
    system: `procshare: ${pairs} putSync, ${pairs} getSync`,
    process: script('procshare', item, pairs),
    ...(pairs === 1 ? first : { against: first.against }),
  }))
}

const shared = { name: 'queue', unit: 'ns', turnMs: 100, rounds: 15 }

export const queue = [
  {
    ...shared,
    title: 'Queue: 64-byte buffers',
    rows: async () => [
      { system: SEND, process: script('send', 'bytes64') },
      ...pairsOf('bytes64', { against: SEND, goal: 'queue-small' }),
    ],
  },
  {
    ...shared,
    title: 'Queue: small objects',
    async rows({ python }) {
      const system = `Python ${python?.version}: mp.Queue of the same objects`
      return [
        python && { system, process: python.start('queue') },
        { system: SEND, process: script('send', 'object') },
        ...pairsOf('object', { against: python ? system : SEND, goal: python && 'queue-objects' }),
      ]
    },
  },
  {
    ...shared,
    title: 'Queue: 64 KiB buffers',
    unit: 'µs',
    rows: async () => [
      { system: PORT, process: script('port', 'bytes64k') },
      ...pairsOf('bytes64k', { against: PORT, goal: 'queue-large' }),
    ],
  },
  {
    ...shared,
    title: 'Queue: ping-pong of two processes, async forms',
    unit: 'µs',
    turnMs: 20,
    rounds: 31,
    rows: async () => [
      { system: SEND, process: script('send-pingpong', 'bytes64') },
      {
        system: 'procshare: await put, await get',
        process: script('pingpong', 'bytes64'),
        against: SEND,
        goal: 'ping-pong',
      },
    ],
  },
  {
    ...shared,
    title: 'Queue: size of the ring',
    rows: async () =>
      [2 ** 14, 2 ** 17, 2 ** 20, 2 ** 26].map((bytes, i) => ({
        system: `${bytes / 1024} KiB`,
        process: script('procshare', 'bytes64', 1, bytes),
        ...(i > 0 && { against: '16 KiB', goal: 'flat' }),
      })),
  },
  {
    ...shared,
    title: 'Queue: attached processes',
    rows: async () =>
      [0, 10, 50].map((attached, i) => ({
        system: `${attached} that hold it beside the two`,
        process: script('procshare', 'bytes64', 1, 2 ** 20, attached),
        ...(i > 0 && { against: '0 that hold it beside the two', goal: 'flat' }),
      })),
  },
]
