import { Lock, Manager, Pipe, Process, Queue, SharedArray, SharedState, Value } from 'procshare'
import { expect, it } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers, segmentsOfThisProcess } from '../helpers/leftovers.ts'

const JOBS = new URL('../fixtures/jobs.mjs', import.meta.url)
const start = (name: string, ...args: unknown[]) => new Process(JOBS, { export: name, args }).start()

expectNoLeftovers()

it('arguments that are closed right after the start arrive, and nothing is left afterwards', async () => {
  const value = new Value('i')
  const array = new SharedArray('i', 2)
  const lock = new Lock()
  using results = new Queue<number>()
  const child = start('report', { value, deep: [array, new Map([['lock', lock]])] }, results)
  for (const object of [value, array, lock]) object.close()
  expect(await results.get()).toBe(1)
  expect(await child.join()).toBe(0)
  results.close()
  expect(segmentsOfThisProcess()).toEqual([])
})

it('a member of a state arrives after the state was closed', async () => {
  using results = new Queue<number>()
  const state = new SharedState({ value: Value('i'), array: SharedArray('i', 2), lock: Lock() })
  const child = start('report', { value: state.value, deep: [state.array, new Map([['lock', state.lock]])] }, results)
  state.close()
  expect(await results.get()).toBe(1)
  expect(await child.join()).toBe(0)
})

it('an end of a pipe that is closed right after the start counts until the child has attached', async () => {
  const [ours, theirs] = new Pipe<number>()
  using _ours = ours
  const child = start('sendOne', theirs)
  theirs.close()
  expect(await ours.recv()).toBe(1)
  await expect(ours.recv()).rejects.toThrow(shareError('ERR_ENDED'))
  expect(await child.join()).toBe(0)
})

it('a proxy that is closed right after the start arrives', async () => {
  await using manager = await Manager.start()
  const list = await manager.list<number>()
  using results = new Queue<number>()
  const child = start('pushOne', list, results)
  list.close()
  expect(await results.get()).toBe(1)
  expect(await child.join()).toBe(0)
})

it('a start that fails holds nothing', async () => {
  const value = new Value('i')
  const [ours, theirs] = new Pipe<number>()
  expect(() => start('nothing', value, theirs, () => {})).toThrow('could not be cloned')
  const lost = new Process(JOBS, { args: [value, theirs], cwd: '/does/not/exist' }).start()
  const killed = start('nothing', value, theirs)
  killed.kill()
  value.close()
  theirs.close()
  await expect(lost.join()).rejects.toThrow()
  expect(await killed.join()).toBe(-9)
  await expect(ours.recv()).rejects.toThrow(shareError('ERR_ENDED'))
  ours.close()
  expect(segmentsOfThisProcess()).toEqual([])
})
