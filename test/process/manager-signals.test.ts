/** Signals to a process group, as a terminal, a service manager and `timeout` send them: to a program and to the servers of its managers. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { listSegments, removeStaleSegments } from 'procshare'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { type FixtureProcess, spawnFixture } from '../helpers/fixture.ts'
import { isRunning, killLeftover } from '../helpers/running.ts'

const STARTER = fileURLToPath(new URL('../fixtures/signalled-start.mjs', import.meta.url))
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** A program that is the head of a process group, with a server in it. */
async function startGroup(): Promise<FixtureProcess & { server: number; address: string }> {
  const user = await spawnFixture('manager-user', {}, { detached: true })
  const { pid: server, address } = await user.call<{ pid: number; address: string }>('start', {})
  onTestFinished(() => killLeftover(server))
  expect(groupOf(server)).toBe(user.pid)
  return Object.assign(user, { server, address })
}

/** The process group that a process is in. */
function groupOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[2])
}

/** Neither the process nor its directory nor, when what killed processes leave has been swept, memory of either. */
async function expectNothingLeft(pids: number[], address: string): Promise<void> {
  for (const pid of pids) await eventually(() => !isRunning(pid))
  await eventually(() => !existsSync(dirname(address)))
  removeStaleSegments()
  expect(listSegments().filter(({ creatorPid }) => pids.includes(creatorPid))).toEqual([])
}

describe.skipIf(process.platform !== 'linux')('a process group of a program and the server of its manager', () => {
  it.each(SIGNALS)('that receives %s ends if the program does not handle it', async (signal) => {
    await using user = await startGroup()
    process.kill(-user.pid, signal)
    expect(await user.ended()).toEqual({ code: null, signal })
    await expectNothingLeft([user.pid, user.server], user.address)
  })

  it.each(SIGNALS)(
    'that receives %s continues until the handler of the program has closed the manager',
    async (signal) => {
      await using user = await startGroup()
      await user.call('useAtSignals', signal, 3)
      for (let i = 0; i < 3; i++) {
        process.kill(-user.pid, signal)
        expect(await user.event('used')).toEqual(['list', 'blocking'])
        if (i < 2) expect(isRunning(user.server)).toBe(true)
      }
      expect(await user.event('closed')).toBe(false)
      expect(await user.ended()).toEqual({ code: 0, signal: null })
      await expectNothingLeft([user.pid, user.server], user.address)
    },
  )

  it.each(SIGNALS)('that gets %s while the server is loading gets its manager all the same', async (signal) => {
    const child = spawn(process.execPath, [STARTER, signal], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const lines = createInterface(child.stdout)
    const ended = once(child, 'exit')
    const [line] = await once(lines, 'line')
    const { first, pid, address, items, signals, name } = JSON.parse(line)
    expect({ items, signals, name }).toEqual({ items: [1], signals: 1, name: 'Manager-1' })
    expect(pid).not.toBe(first)
    expect(await ended).toEqual([0, null])
    await expectNothingLeft([child.pid!, first, pid], address)
  })
})
