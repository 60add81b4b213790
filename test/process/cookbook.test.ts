/** docs/guide/cookbook.md: its programs are the files of examples/cookbook, and do what the page says, whoever dies. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import path from 'node:path'
import { SharedState, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { examplesIn, ROOT } from '../helpers/documentation.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'
import { DEADLINE_MS } from '../helpers/fixture.ts'
import { COOKBOOK, Kitchen, type Program, recipeFiles } from '../helpers/recipes.ts'

const PAGE = 'docs/guide/cookbook.md'
/** Of work that a process is killed in: longer than any test. */
const FOR_EVER_MS = 600_000

const UNSHARE = ['unshare', '--pid', '--fork', '--kill-child=KILL']
const canUnshare = spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), 'true']).status === 0

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8')

const OK = { code: 0, signal: null }

const count = (text: string, part: string) => text.split(part).length - 1

/** The one that prints this first, and the others. */
async function firstThatPrints(programs: readonly Program[], pattern: RegExp): Promise<[Program, ...Program[]]> {
  const first = await eventually(() => programs.find(({ output }) => pattern.test(output)), DEADLINE_MS)
  return [first!, ...programs.filter((program) => program !== first)]
}

/** Status and number of one request. */
function get(port: string): Promise<[status: number, number: number]> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, agent: false }, async (response) => {
      let body = ''
      for await (const part of response.setEncoding('utf8')) body += part
      resolve([response.statusCode!, Number(/\d+/.exec(body)?.[0])])
    })
    sent.on('error', reject).end()
  })
}

const getMany = (port: string, times: number) => Promise.all(Array.from({ length: times }, () => get(port)))

const upTo = (most: number) => Array.from({ length: most }, (_, index) => index + 1)

const byNumber = (a: number, b: number) => a - b

describe('the page', () => {
  const shown = examplesIn(read(PAGE), String).filter(({ file }) => file !== undefined)

  it('shows each program of the folder once', () => {
    expect(shown.map(({ file }) => file).sort()).toEqual(recipeFiles().map((file) => `${COOKBOOK}/${file}`))
  })

  it.each(shown.map(({ file, code }) => [file!, code]))('shows %s word for word', (file, code) => {
    expect(code).toBe(read(file))
  })

  it('shows no program of the library that is not run', () => {
    const others = examplesIn(read(PAGE), String).filter(
      ({ file, notRun }) => file === undefined && notRun !== undefined,
    )
    expect(others).toEqual([])
  })
})

describe('the recipe', () => {
  it('of one job in one worker lets one process work, and tells the next one of a death', async ({ expect }) => {
    await using kitchen = new Kitchen()
    const worker = kitchen.run('one-job.mjs', [FOR_EVER_MS])
    await worker.printed('writing the report')
    expect(await kitchen.output('one-job.mjs')).toBe('skipped: another process is writing the report\n')
    await worker.kill()
    const next = [
      'the last process died during the job: removing what it left',
      'writing the report',
      'the report is written',
    ]
    expect(await kitchen.output('one-job.mjs', [0])).toBe(`${next.join('\n')}\n`)
    expect(await kitchen.output('one-job.mjs', [0])).toBe(`${next.slice(1).join('\n')}\n`)
  })

  it('of once per tick does each tick once', async ({ expect }) => {
    await using kitchen = new Kitchen()
    const workers = upTo(3).map(() => kitchen.run('once-per-tick.mjs', [200, 10]))
    const done = () => workers.flatMap(({ output }) => output.match(/^tick \d+/gm) ?? [])
    await eventually(() => done().length >= 8, DEADLINE_MS)
    expect(new Set(done()).size).toBe(done().length)
  })

  it('of once per tick leaves the tick of a killed process to another one', async ({ expect }) => {
    await using kitchen = new Kitchen()
    let workers: Program[]
    let ticks: string[]
    do {
      workers = upTo(2).map(() => kitchen.run('once-per-tick.mjs', [4_000, FOR_EVER_MS]))
      ticks = await Promise.all(workers.map(async (worker) => (await worker.printed(/waiting for (tick \d+)/))[1]!))
      if (ticks[0] !== ticks[1]) for (const worker of workers) await worker.kill()
    } while (ticks[0] !== ticks[1])
    const [first, second] = await firstThatPrints(workers, /^tick/m)
    await first.kill()
    await second!.printed(`${ticks[0]}: sending invoices`)
    expect(second!.output).toBe(`waiting for ${ticks[0]}\n${ticks[0]}: sending invoices\n`)
  })

  it('of a leader hands over at once when the leader ends or is killed', async ({ expect }) => {
    await using kitchen = new Kitchen()
    const processes = upTo(3).map(() => kitchen.run('leader.mjs'))
    await Promise.all(processes.map((one) => one.printed('standing by')))
    const [first, ...rest] = await firstThatPrints(processes, /^leading$/m)
    await first.kill()
    const [second, third] = await firstThatPrints(rest, /^leading: the last leader died$/m)
    expect(third!.output).toBe('standing by\n')
    second.signal('SIGTERM')
    expect(await second.ended()).toEqual(OK)
    expect(second.output).toMatch(/\nstopped\n$/)
    await third!.printed('leading')
    third!.signal('SIGTERM')
    expect(await third!.ended()).toEqual(OK)
  })

  it('of a leader ends a process that stands by', async ({ expect }) => {
    await using kitchen = new Kitchen()
    const leader = kitchen.run('leader.mjs')
    await leader.printed('leading')
    const standby = kitchen.run('leader.mjs')
    await standby.printed('standing by')
    standby.signal('SIGTERM')
    expect(await standby.ended()).toEqual(OK)
    expect(standby.output).toBe('standing by\nstopped\n')
  })

  it('of one counter counts all requests of a cluster, one of whose workers is killed', async ({ expect }) => {
    await using kitchen = new Kitchen()
    const primary = kitchen.run('counter.mjs', [], { env: { PORT: '0' } })
    const listening = /worker (\d+) listens on port (\d+)/g
    const workers = (least: number) =>
      eventually(() => {
        const found = [...primary.output.matchAll(listening)]
        return found.length >= least && found
      }, DEADLINE_MS)
    const [[, victim, port] = []] = (await workers(4)) || []
    const before = await getMany(port!, 60)
    process.kill(Number(victim), 'SIGKILL')
    await workers(5)
    const answers = [...before, ...(await getMany(port!, 60))]
    expect(answers.map(([, number]) => number).sort(byNumber)).toEqual(upTo(120))
    for (const [status, number] of answers) expect(status).toBe(number <= 100 ? 200 : 429)
  })

  it('of N at a time lets two work, and gives the slot of a killed process to the next one', async ({ expect }) => {
    await using kitchen = new Kitchen()
    const workers = upTo(2).map(() => kitchen.run('slots.mjs', [FOR_EVER_MS]))
    await Promise.all(workers.map((worker) => worker.printed('encoding')))
    const third = kitchen.run('slots.mjs', [0])
    await third.printed('waiting for a slot')
    expect(third.output).toBe('waiting for a slot\n')
    await workers[0]!.kill()
    expect(await third.ended()).toEqual(OK)
    expect(third.output).toBe('waiting for a slot\nencoding\ndone\n')
  })

  it('of a migration migrates once, and lets all processes wait for it', async ({ expect }) => {
    await using kitchen = new Kitchen()
    const outputs = await Promise.all(upTo(3).map(() => kitchen.output('migration.mjs', [50])))
    expect(count(outputs.join(''), 'migrating to version 1')).toBe(1)
    expect(count(outputs.join(''), 'migrating to version 2')).toBe(1)
    for (const output of outputs) expect(output).toContain('version 2: ready')
  })

  it('of a migration repeats the step that a killed process was at', async ({ expect }) => {
    await using kitchen = new Kitchen()
    const first = kitchen.run('migration.mjs', [FOR_EVER_MS])
    await first.printed('migrating to version 1')
    const second = kitchen.run('migration.mjs', [0])
    await first.kill()
    expect(await second.ended()).toEqual(OK)
    expect(second.output).toBe('migrating to version 1\nmigrating to version 2\nversion 2: ready\n')
  })

  it('of a JSON file loses no change of processes that write at the same time', async ({ expect }) => {
    await using kitchen = new Kitchen()
    await Promise.all(upTo(6).map((number) => kitchen.output('json-file.mjs', [`key${number}`, number])))
    const settings = JSON.parse(readFileSync(path.join(kitchen.folder, 'settings.json'), 'utf8'))
    expect(settings).toEqual(Object.fromEntries(upTo(6).map((number) => [`key${number}`, `${number}`])))
  })

  it('of a JSON file keeps the file whole when a process is killed before it has replaced it', async ({ expect }) => {
    await using kitchen = new Kitchen()
    await kitchen.output('json-file.mjs', ['theme', 'dark'])
    const killer = path.join(kitchen.folder, 'killer.mjs')
    writeFileSync(
      killer,
      `import fs from 'node:fs'
      import { syncBuiltinESMExports } from 'node:module'
      fs.promises.rename = () => process.kill(process.pid, 'SIGKILL')
      syncBuiltinESMExports()`,
    )
    const victim = kitchen.run('json-file.mjs', ['theme', 'light'], { preload: killer })
    expect(await victim.ended()).toEqual({ code: null, signal: 'SIGKILL' })
    expect(await kitchen.output('json-file.mjs', ['font', 'mono'])).toBe("{ theme: 'dark', font: 'mono' }\n")
  })

  it('of presence knows whether the daemon runs, also after it was killed', async ({ expect }) => {
    await using kitchen = new Kitchen()
    expect(await kitchen.output('presence.mjs')).toBe('not running\n')
    const daemon = kitchen.run('presence.mjs', ['serve'])
    await daemon.printed('serving')
    expect(await kitchen.output('presence.mjs')).toBe(`running as process ${daemon.pid}\n`)
    const another = kitchen.run('presence.mjs', ['serve'])
    expect(await another.ended()).toEqual({ code: 1, signal: null })
    expect(another.output).toBe(`The daemon runs already, as process ${daemon.pid}\n`)
    await daemon.kill()
    expect(await kitchen.output('presence.mjs')).toBe('not running\n')
    const next = kitchen.run('presence.mjs', ['serve'])
    await next.printed('serving')
    next.signal('SIGTERM')
    expect(await next.ended()).toEqual(OK)
  })

  it('of the log level changes it in all running processes', async ({ expect }) => {
    await using kitchen = new Kitchen()
    const nobody = kitchen.run('log-level.mjs', ['debug'])
    expect(await nobody.ended()).toEqual({ code: 1, signal: null })
    expect(nobody.output).toContain("code: 'ENOENT'")
    const programs = upTo(2).map(() => kitchen.run('log-level.mjs'))
    await Promise.all(programs.map((program) => program.printed('info: alive')))
    for (const { output } of programs) expect(output).not.toContain('debug')
    await kitchen.output('log-level.mjs', ['debug'])
    await Promise.all(programs.map((program) => program.printed('debug: looking for work')))
  })

  it('of a graceful shutdown finishes the current item, and loses it only to SIGKILL', async ({ expect }) => {
    await using kitchen = new Kitchen()
    await kitchen.output('shutdown.mjs', ['put', 'ann', 'bob', 'carol'])
    const first = kitchen.run('shutdown.mjs')
    await first.printed('sending to ann')
    first.signal('SIGTERM')
    expect(await first.ended()).toEqual(OK)
    expect(first.output).toBe('sending to ann\nsent to ann\nstopped\n')
    const second = kitchen.run('shutdown.mjs')
    await second.printed('sending to bob')
    await second.kill()
    const third = kitchen.run('shutdown.mjs')
    await third.printed('sent to carol')
    third.signal('SIGTERM') // while it waits for an item
    expect(await third.ended()).toEqual(OK)
    expect(third.output).toBe('sending to carol\nsent to carol\nstopped\n')
  })

  it('of MCP servers shares one quota between servers and a command-line tool', async ({ expect }) => {
    await using kitchen = new Kitchen()
    let id = 0
    const call = async (server: Program, method: string, params?: object) => {
      server.write(JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params }))
      const [line] = await server.printed(new RegExp(`^\\{"jsonrpc":"2.0","id":${id},.*$`, 'm'))
      return JSON.parse(line)
    }
    const search = async (server: Program) =>
      (await call(server, 'tools/call', { name: 'search', arguments: { text: 'nails' } })).result

    const servers = upTo(2).map(() => kitchen.run('mcp/server.mjs'))
    const [first, second] = servers as [Program, Program]
    const { result } = await call(first, 'initialize', { protocolVersion: '2025-06-18' })
    expect(result).toMatchObject({ protocolVersion: '2025-06-18', capabilities: { tools: {} } })
    first.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }))
    expect((await call(first, 'tools/list')).result.tools).toHaveLength(1)
    expect((await call(first, 'resources/list')).error.code).toBe(-32601)

    expect((await search(first)).content[0].text).toBe('Found nails; 2 searches left today')
    expect((await search(second)).content[0].text).toBe('Found nails; 1 searches left today')
    await second.kill()
    expect((await search(first)).isError).toBeUndefined()
    expect((await search(first)).isError).toBe(true)
    expect(await kitchen.output('mcp/cli.mjs')).toBe('3 of 3 searches used\n')
    expect(await kitchen.output('mcp/cli.mjs', ['reset'])).toBe('0 of 3 searches used\n')
    expect((await search(first)).content[0].text).toBe('Found nails; 2 searches left today')
  })

  it.skipIf(!canUnshare)('of containers works in several pid namespaces', async ({ expect }) => {
    await using kitchen = new Kitchen()
    const first = kitchen.run('containers.mjs', [FOR_EVER_MS], { under: UNSHARE })
    await first.printed('working')
    const second = kitchen.run('containers.mjs', [0], { under: UNSHARE })
    await second.printed('visit 2')
    await first.kill()
    expect(await second.ended()).toEqual(OK)
    expect(second.output).toBe('visit 2\nworking: the last owner died\ndone\n')
  })

  it('of pm2 counts on across a reload and a restart', async ({ expect }) => {
    await using kitchen = new Kitchen()
    const start = async () => {
      const manager = kitchen.run(path.join(ROOT, 'test/fixtures/like-pm2.mjs'), ['pm2/app.mjs', 2])
      await manager.printed('started')
      return [manager, (await manager.printed(/on port (\d+)/))[1]!] as const
    }
    const [manager, port] = await start()
    const hits = (await getMany(port, 20)).map(([, number]) => number)
    manager.signal('SIGHUP')
    await manager.printed('reloaded')
    hits.push(...(await getMany(port, 20)).map(([, number]) => number))
    manager.signal('SIGTERM')
    expect(await manager.ended(), manager.output).toEqual(OK)
    const [, nextPort] = await start()
    hits.push(...(await getMany(nextPort, 20)).map(([, number]) => number))
    expect(hits.sort(byNumber)).toEqual(upTo(60))
  })

  it('of rolling deploys lets versions with different schemas run side by side', async ({ expect }) => {
    await using kitchen = new Kitchen()
    const v1 = kitchen.run('rolling/v1.mjs')
    await v1.printed('v1: 5 hits')
    const v2 = kitchen.run('rolling/v2.mjs')
    await v2.printed(/^v2: \d+ hits, 5 carts$/m)
    const name = kitchen.name('shop')
    const changed = { hits: Value('d'), carts: Value('i') }
    expect(() => SharedState.open(name, changed)).toThrow(shareError('ERR_LAYOUT', /"carts"/))

    const v3 = kitchen.run('rolling/v3.mjs')
    const [, imported] = await v3.printed(/^v3: (\d+) hits$/m)
    expect(Number(imported)).toBeGreaterThan(10)
    await v1.kill()
    await v2.kill()
    const counts = [v1, v2].flatMap(({ output }) => [...output.matchAll(/(\d+) hits/g)].map(([, hits]) => Number(hits)))
    expect(new Set(counts).size).toBe(counts.length) // one counter for both
    await v3.printed(`v3: ${Number(imported) + 5} hits`)
  })
})
