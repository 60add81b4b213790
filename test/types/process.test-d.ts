import {
  attach,
  type Handle,
  Manager,
  Process,
  type ProcessOptions,
  parentProcess,
  Queue,
  type Shareable,
  Value,
} from 'procshare'
import { exactly } from './exactly.ts'

declare const jobs: {
  default(counter: Value<'i'>): void
  work(queue: Queue<number>, times: number): Promise<void>
  idle(): void
  optional(times?: number): void
  readonly version: string
}
type Jobs = typeof jobs
const url = new URL('file:///jobs.js')
const counter = new Value('i')
const queue = new Queue<number>()

new Process<Jobs>(url, { export: 'work', args: [queue, 1] })
new Process<Jobs>(url, { args: [counter] })
new Process<Jobs>(url, { export: 'default', args: [counter], name: 'counts' })
new Process<Jobs>(url, { export: 'idle' })
new Process<Jobs>(url, { export: 'optional', args: [] })
new Process<Jobs>(url, { export: 'optional', args: [3], execPath: '/usr/bin/node' })
// @ts-expect-error - no such function
new Process<Jobs>(url, { export: 'wrok', args: [queue, 1] })
// @ts-expect-error - no function
new Process<Jobs>(url, { export: 'version' })
// @ts-expect-error - the arguments of another function
new Process<Jobs>(url, { export: 'work', args: [counter] })
// @ts-expect-error - of another type
new Process<Jobs>(url, { export: 'work', args: [queue, '1'] })
// @ts-expect-error - too many
new Process<Jobs>(url, { export: 'idle', args: [1] })
// @ts-expect-error - the default export needs an argument
new Process<Jobs>(url)
// @ts-expect-error - no option
new Process<Jobs>(url, { export: 'idle', exports: 1 })

// The type of the function alone.
new Process<Jobs['work']>(url, { export: 'work', args: [queue, 1] })
new Process<Jobs['idle']>(url)
// @ts-expect-error - of another type
new Process<Jobs['work']>(url, { args: [1, queue] })
// @ts-expect-error - it needs arguments
new Process<Jobs['work']>(url, { export: 'work' })

// Without a type anything goes, and all are processes.
const options: ProcessOptions = { export: 'any', args: [1, 'two'] }
const child: Process = new Process(url, options)
const checked: Process = new Process<Jobs>(url, { export: 'idle' })
exactly<number>()(await child.start().join())
exactly<string | undefined>()(parentProcess?.name)
exactly<number | undefined>()(parentProcess?.pid)

declare const handle: Handle
exactly<Shareable>()(attach(handle))
exactly<Queue<number>>()(attach<Queue<number>>(handle))
// @ts-expect-error - no shared object
attach<Date>(handle)

class Account {
  readonly owner: string
  constructor(owner: string, _balance = 0) {
    this.owner = owner
  }
  deposit(amount: number): number {
    return amount
  }
}
const manager = await Manager.start()
const account = await manager.create<typeof Account>('Account', ['ann', 5], { name: 'ann' })
exactly<number>()(await account.deposit(1))
// @ts-expect-error - of another type
void manager.create<typeof Account>('Account', [1])
// @ts-expect-error - it needs an owner
void manager.create<typeof Account>('Account')
const made = manager.sync.create<(size: number) => Promise<Account>>('account', [1])
exactly<number>()(made.deposit(1))
const typed = await manager.create<Account>('Account', ['anything', 'goes'])
exactly<number>()(await typed.deposit(1))
void checked
