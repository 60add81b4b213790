/** Queues and pipes in the state matrix. */
import { JoinableQueue, Pipe, Queue, SimpleQueue } from 'procshare'
import {
  always,
  cleanups,
  type Members,
  NOW,
  type Row,
  type Shared,
  untilClose,
  waitableMembers,
  waiting,
} from './matrix.ts'

const simpleQueueMembers: Members = {
  ...waitableMembers,
  isEmpty: untilClose((queue) => queue.isEmpty),
  ended: untilClose((queue) => queue.ended),
  put: untilClose((queue) => queue.put(1, NOW)),
  putSync: untilClose((queue) => queue.putSync(1, NOW)),
  distrust: untilClose((object) => object.distrust()),
  tryPut: untilClose((queue) => queue.tryPut(1)),
  get: waiting((queue) => queue.get(NOW)),
  getSync: waiting((queue) => queue.getSync(NOW)),
  tryGet: untilClose((queue) => queue.tryGet()),
  end: untilClose((queue) => queue.end()),
  drained: always((queue) => queue.drained(1)),
  [String(Symbol.asyncIterator)]: untilClose((queue) => {
    queue.end()
    return queue[Symbol.asyncIterator]().next()
  }),
  consume: untilClose((queue) => {
    queue.end()
    return queue.consume().next()
  }),
}

const queueMembers: Members = {
  ...simpleQueueMembers,
  maxSize: untilClose((queue) => queue.maxSize),
  byteLength: untilClose((queue) => queue.byteLength),
  size: untilClose((queue) => queue.size),
  isFull: untilClose((queue) => queue.isFull),
  putMany: untilClose((queue) => queue.putMany([1, 2], NOW)),
  putManySync: untilClose((queue) => queue.putManySync([1, 2], NOW)),
  getMany: waiting((queue) => queue.getMany(2, NOW)),
  getManySync: waiting((queue) => queue.getManySync(2, NOW)),
}

const joinableQueueMembers: Members = {
  ...queueMembers,
  unfinished: untilClose((queue) => queue.unfinished),
  taskDone: { ...untilClose((queue) => queue.taskDone()), open: 'ERR_TASK_DONE', unlinked: 'ERR_TASK_DONE' },
  join: untilClose((queue) => queue.join(NOW)),
  joinSync: untilClose((queue) => queue.joinSync(NOW)),
}

/** Of the pipe that was made last. */
let closeOtherEnd = () => {}

const connectionMembers: Members = {
  ...waitableMembers,
  distrust: untilClose((object) => object.distrust()),
  isReadable: untilClose((connection) => connection.isReadable),
  isWritable: untilClose((connection) => connection.isWritable),
  send: untilClose((connection) => connection.send(1, NOW)),
  sendSync: untilClose((connection) => connection.sendSync(1, NOW)),
  trySend: untilClose((connection) => connection.trySend(1)),
  recv: waiting((connection) => connection.recv(NOW)),
  recvSync: waiting((connection) => connection.recvSync(NOW)),
  tryRecv: untilClose((connection) => connection.tryRecv()),
  poll: untilClose((connection) => connection.poll()),
  pollSync: untilClose((connection) => connection.pollSync()),
  [String(Symbol.asyncIterator)]: {
    ...untilClose((connection) => {
      closeOtherEnd() // otherwise the iteration would wait for ever
      return connection[Symbol.asyncIterator]().next()
    }),
  },
  consume: untilClose((connection) => {
    closeOtherEnd()
    return connection.consume().next()
  }),
}

function makeConnection(name: string): Shared {
  const [first, second] = Pipe.create(name)
  closeOtherEnd = () => second.close()
  cleanups.push(closeOtherEnd)
  return first
}

export const queueRows: readonly Row[] = [
  { title: 'Queue', make: (name) => Queue.create(name), members: queueMembers },
  { title: 'JoinableQueue', make: (name) => JoinableQueue.create(name), members: joinableQueueMembers },
  { title: 'SimpleQueue', make: (name) => SimpleQueue.create(name), members: simpleQueueMembers },
  { title: 'Connection', make: makeConnection, members: connectionMembers },
]
