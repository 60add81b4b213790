/** What keeps a process that has a manager: calls, not the manager itself. */
import type { Manager } from 'procshare'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runProgram } from '../helpers/fixture.ts'
import { startManager } from '../helpers/managed-server.ts'

let manager: Manager
beforeAll(async () => {
  manager = await startManager()
})
afterAll(() => manager?.shutdown())

const credentials = () => [String(manager.address), Buffer.from(manager.authkey).toString('base64')]

it.each([
  ['idle', 'ended\n'],
  ['pending', '1\nended\n'],
  ['ref', 'ended\n'],
  ['hot', 'ended\n'],
  ['blocking', '1\nended\n'],
])('a process with a manager that it has started, and one of another, %s, ends by itself', async (how, output) => {
  await using alone = runProgram('manager-idle', { argv: [how] })
  await using connected = runProgram('manager-idle', { argv: [how, ...credentials()] })
  expect([await alone.output(), alone.stderr, await connected.output(), connected.stderr]).toEqual([
    output,
    '',
    output,
    '',
  ])
  expect([await alone.ended(), await connected.ended()]).toEqual([
    { code: 0, signal: null },
    { code: 0, signal: null },
  ])
})
