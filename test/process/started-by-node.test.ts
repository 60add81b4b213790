import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Manager, Process } from 'procshare'
import { describe, expect, it } from 'vitest'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const JOBS = fixture('jobs.mjs')
const OTHER_MESSAGES = fixture('other-messages.mjs')

expectNoLeftovers()

/** What `node` does with arguments. */
async function runNode(args: string[]) {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], timeout: 25_000 })
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code, output, errors }
}

const PROGRAM = `
  import { Manager, Process, Value } from 'procshare'
  const value = new Value('i')
  const child = new Process(${JSON.stringify(JOBS)}, { args: [value] }).start()
  const code = await child.join({ timeoutMs: 20_000 })
  const manager = await Manager.start()
  const list = await manager.list([1])
  console.log('result', code, value.value, await list.show())
  await manager.shutdown()
`

describe('unrelated messages on the channel of a child', () => {
  it('are ignored by the parent', async () => {
    const execArgv = ['--import', OTHER_MESSAGES]
    expect(await new Process(JOBS, { export: 'nothing', execArgv }).start().join()).toBe(0)
    await using manager = await Manager.start({ execArgv })
    const list = await manager.list([1])
    expect(await list.at(0)).toBe(1)
  })

  it('are ignored by the child', async () => {
    const hook = `
      import child_process from 'node:child_process'
      import { syncBuiltinESMExports } from 'node:module'
      const { fork } = child_process
      child_process.fork = (...args) => {
        const child = fork(...args)
        for (const message of [0, 5, 'x', { 'watch:import': [] }, { procshare: 'other' }]) child.send(message)
        return child
      }
      syncBuiltinESMExports()
    `
    const url = `data:text/javascript,${encodeURIComponent(hook)}`
    const { output, errors } = await runNode(['--import', url, '--input-type=module', '--eval', PROGRAM])
    expect(errors).toBe('')
    expect(output).toMatch(/result 0 1 /)
  })
})

describe('a program that starts a process and a manager', () => {
  it.each([
    ['--input-type=module', '--eval', PROGRAM],
    ['--inspect=127.0.0.1:0', '--input-type=module', '--eval', PROGRAM],
    ['--test', '--test-only', '--test-reporter', 'spec', fixture('programs-for-node.mjs')],
    ['--test', fixture('programs-for-node.mjs')],
  ])('runs as node %s', async (...args) => {
    const { output, errors } = await runNode(args)
    expect(`${output}${errors}`).toMatch(/result 0 1 /)
  })
})

describe('a module that registers a class of its own', () => {
  it('starts its manager below if (isMainProcess)', async () => {
    const { output, errors } = await runNode([fixture('own-types.mjs')])
    expect(errors).toBe('')
    expect(JSON.parse(output)).toEqual([2, [false, 'Manager-1'], [0, 1]])
  })

  it('gets an error when it starts its manager elsewhere', async () => {
    const { code, errors } = await runNode([fixture('unguarded-types.mjs')])
    expect(code).toBe(1)
    expect(errors).toContain('ERR_PROCESS_IMPORT')
  })
})
