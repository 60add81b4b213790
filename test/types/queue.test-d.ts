import { attach, type Connection, JoinableQueue, Pipe, Queue, type Shareable, SimpleQueue } from 'procshare'

interface Job {
  readonly n: number
}

const queue = new Queue<Job>({ maxSize: 1, byteLength: 1024, spill: true, persist: false })
queue.putSync({ n: 1 })
// @ts-expect-error - not a job
queue.putSync('text')
const job: Job = queue.getSync({ timeoutMs: 1 })
const maybe: { readonly value: Job } | undefined = queue.tryGet()
const many: Promise<Job[]> = queue.getMany(3)
void queue.putMany([job], { signal: new AbortController().signal })
// @ts-expect-error - the blocking form knows no signal
queue.getSync({ signal: new AbortController().signal })
for await (const { n } of queue) n.toFixed()

const joinable: JoinableQueue<string> = JoinableQueue.open<string>('name')
joinable.taskDone()
void joinable.join()
const simple = new SimpleQueue<number>()
const isEmpty: boolean = simple.isEmpty
// @ts-expect-error - it has no bound on items
new SimpleQueue({ maxSize: 1 })

const [first, second] = new Pipe<number>({ duplex: false })
const received: Promise<number> = first.recv()
second.sendSync(1)
const named: Connection<number> = Pipe.attach<number>('name', 1)
const revived: Shareable = attach(first.handle)
void [maybe, many, isEmpty, received, named, revived]
