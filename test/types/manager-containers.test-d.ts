import { type ListProxy, Manager } from 'procshare'
import { exactly } from './exactly.ts'

interface Job {
  readonly n: number
  readonly tags?: string[]
}

const manager = await Manager.start()
const { sync } = manager

// What is made of what.
const numbers = await manager.list([1, 2])
exactly<number | undefined>()(await numbers.at(0))
exactly<number[]>()(await numbers.slice(1))
const jobs = await manager.list<Job>('jobs')
exactly<Job | undefined>()(await jobs.shift())
const scores = await manager.dict({ ann: 1 })
exactly<number | undefined>()(await scores.get('ann'))
exactly<number | string>()(await scores.get('ann', 'none'))
exactly<Map<string, number>>()(await scores.toMap())
const byId = await manager.dict([[1, { n: 1 }]])
exactly<{ n: number } | undefined>()(await byId.pop(1))
const fromMap = await manager.dict(new Map([['a', true]]), { name: 'flags' })
exactly<[string, boolean] | undefined>()(await fromMap.popItem())
const nested = await manager.dict<string, ListProxy<Job>>()
exactly<Job | undefined>()(await (await nested.get('x'))?.at(0))
const words = await manager.set(['a'])
exactly<boolean>()(await words.add('b'))
exactly<Set<string | number>>()(await words.union([1]))
exactly<number>()(await (await manager.Value('double')).get())
exactly<bigint>()(await (await manager.Value(BigInt64Array, 1)).add(1n))
exactly<Float32Array>()(await (await manager.Array(Float32Array, 4)).snapshot())
exactly<'d'>()(await (await manager.Value('c_double')).type)
// @ts-expect-error
await manager.Value(Number)
const big = await manager.Value('q', 1)
exactly<bigint>()(await big.get())
exactly<bigint>()(await big.add(2n))
const flag = await manager.Value('?', true)
exactly<boolean>()(await flag.and(false))
const samples = await manager.Array('d', 100)
exactly<Float64Array>()(await samples.snapshot())
exactly<number | undefined>()(await samples.at(0))
const settings = await manager.Namespace({ level: 1, title: 'x' })
exactly<number>()(await settings.get('level'))
exactly<{ level: number; title: string }>()(await settings.snapshot())

// What is refused.
// @ts-expect-error - not a number
await numbers.push('x')
// @ts-expect-error - not the type of the values
await scores.set('bob', 'x')
// @ts-expect-error - not the type of the keys
await scores.get(1)
// @ts-expect-error - a bool has no arithmetic
await flag.add(true)
// @ts-expect-error - a typo
await manager.Value('int23')
// @ts-expect-error - no such name
await settings.get('levle')
// @ts-expect-error - an asynchronous proxy is not iterated plainly
for (const one of numbers) void one
// @ts-expect-error - set() says when it is done
big.value = 3n

// As arrays are.
const anything: ListProxy<unknown> = numbers
void anything

// Properties, iteration.
exactly<number>()(await numbers.length)
exactly<number>()(await scores.size)
for await (const item of numbers) exactly<number>()(item)
for await (const entry of scores) exactly<[string, number]>()(entry)
for await (const key of scores.keys()) exactly<string>()(key)
for await (const entry of jobs.entries()) exactly<[number, Job]>()(entry)

// The blocking form.
const plain = sync.list<number>([1])
exactly<number>()(plain.push(2))
exactly<number>()(plain.length)
for (const item of plain) exactly<number>()(item)
const counts = sync.dict<string, number>()
exactly<number | undefined>()(counts.get('a'))
exactly<number | null>()(counts.get('a', null))
for (const entry of counts) exactly<[string, number]>()(entry)
exactly<[string, number][]>()([...counts.entries()])
exactly<Set<number>>()(sync.set([1]).intersection([1]))
const space = sync.Namespace({ level: 1 })
space.level = 2
exactly<number>()(space.level)
exactly<number>()(space.get('level'))
const value = sync.Value('i', 5)
value.value += 1
exactly<number>()(value.value)
exactly<number[]>()(sync.Array('i', 3).toArray())
exactly<number>()(sync.of(numbers).length)
exactly<number>()(sync.of(settings).level)
exactly<number | undefined>()(sync.of(scores).get('ann'))

// Transactions.
const results = await manager.transaction([
  [scores, 'increment', 'ann', 5],
  [numbers, 'push', 1, 2],
  [jobs, 'push', { n: 1, tags: ['a'] }],
  [scores, 'toMap'],
  [words, 'size'],
  [settings, 'set', 'level', 3],
  [jobs, 'extend', [{ n: 2 }]],
])
const [ann, , , everyone] = results
exactly<number>()(ann)
exactly<Map<string, number>>()(everyone)
exactly<[number | undefined]>()(sync.transaction([[scores, 'get', 'ann']]))
// @ts-expect-error - no such method
await manager.transaction([[scores, 'incremnt', 'ann', 5]])
// @ts-expect-error - not the type of the values
await manager.transaction([[scores, 'set', 'ann', 'x']])
// @ts-expect-error - an argument is missing
await manager.transaction([[scores, 'set', 'ann']])
// @ts-expect-error - not an operation of the object
await manager.transaction([[scores, 'close']])
await manager.transaction([
  [scores, 'size'],
  // @ts-expect-error - one of them is wrong
  [numbers, 'push', 'x'],
])
