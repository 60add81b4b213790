/** The directories of servers that were not told where to listen: under any TMPDIR, and after a server that was killed. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Manager } from 'procshare'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { shareError } from '../helpers/error-matchers.ts'
import { eventually } from '../helpers/eventually.ts'

const FIXTURE = new URL('../fixtures/managed-directory.mjs', import.meta.url).pathname
const NOBODY = 65_534
const DEADLINE_MS = 60_000
const isRoot = process.getuid?.() === 0
/** Only root may give files away and, in a mount namespace, mount file systems that nobody else sees. */
const canMount = isRoot && spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'private-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

interface Outcome {
  readonly address?: string
  readonly name?: string
  readonly code?: string
  readonly message?: string
}

/** Starts a server in a process that has this TMPDIR: its address, or the code and message of the error. */
function start(TMPDIR: string, how = 'shut down', options: { uid?: number } = {}): Outcome {
  const env = { ...process.env, TMPDIR }
  const all = { cwd: directory, env, timeout: DEADLINE_MS, ...options }
  return JSON.parse(execFileSync(process.execPath, [FIXTURE, how], all).toString())
}

/**
 * Starts a server, in a process that has this TMPDIR, after the command, which may mount something; what it says, and what is in
 * the directory that is named last.
 */
function startMounted(command: string, TMPDIR: string, seen = TMPDIR): [Outcome, string[]] {
  const script = `set -e; ${command}; "$NODE" "$FIXTURE" >&2; ls -A "$SEEN"`
  const env = { ...process.env, NODE: process.execPath, FIXTURE, TMPDIR, SEEN: seen }
  const options = { cwd: directory, env, timeout: DEADLINE_MS, encoding: 'utf8' } as const
  const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script], options)
  expect(status, stderr).toBe(0)
  return [JSON.parse(stderr), stdout.split('\n').filter((name) => name !== '')]
}

/** Starts a server that stops, or is killed, at a step. */
function startHalting(signal: 'SIGSTOP' | 'SIGKILL', step: string) {
  const env = { ...process.env, TMPDIR: directory }
  const child = spawn(process.execPath, [FIXTURE, 'halt', signal, step], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const line = once(createInterface(child.stdout), 'line')
  const address = line.then(([text]) => (JSON.parse(text) as Outcome).address!)
  address.catch(() => {})
  return {
    address,
    ended,
    stopped: () => eventually(() => readFileSync(`/proc/${child.pid}/stat`, 'utf8').includes(') T ')),
    proceed: () => child.kill('SIGCONT'),
    async close() {
      child.stdin.end()
      expect(await ended).toEqual([0, null])
    },
  }
}

/** What a server that was killed together with who had started it has left. */
function leftover(name: string, parent = directory): string {
  const { address } = start(parent, 'kill')
  const path = join(dirname(address!), '..', name)
  renameSync(dirname(address!), path)
  expect(readdirSync(path).sort()).toEqual(['key', 'socket'])
  return path
}

const failure = (code: string) => ({
  name: 'ShareError',
  code,
  message: expect.stringMatching(/create a directory for the socket in .*Set TMPDIR/),
})

describe('a server under a TMPDIR', () => {
  it('that is relative has an absolute address', () => {
    mkdirSync(join(directory, 'sub'))
    const { address } = start('sub')
    expect(address?.startsWith(join(directory, 'sub', 'procshare-manager-'))).toBe(true)
    expect(readdirSync(join(directory, 'sub'))).toEqual([])
  })

  it('that is too long for a socket is in /tmp', () => {
    const long = join(directory, 'x'.repeat(120))
    mkdirSync(long)
    expect(start(long).address?.startsWith('/tmp/procshare-manager-')).toBe(true)
  })

  it.each([
    ['that is missing', () => join(directory, 'none')],
    ['that is relative and missing', () => 'none/none'],
    ['that is a file', () => join(directory, 'file')],
    ['that is a link to nothing', () => join(directory, 'dangling')],
    ['that is a link to itself', () => join(directory, 'loop')],
  ])('%s fails with ENOENT and advice', (_what, path) => {
    writeFileSync(join(directory, 'file'), '')
    symlinkSync('nothing', join(directory, 'dangling'))
    symlinkSync('loop', join(directory, 'loop'))
    expect(start(path())).toMatchObject(failure('ENOENT'))
  })

  it('that cannot be written to fails with EACCES and advice', () => {
    const unwritable = join(directory, 'unwritable')
    mkdirSync(unwritable, { mode: 0o555 })
    chmodSync(directory, 0o755)
    expect(start(unwritable, 'shut down', isRoot ? { uid: NOBODY } : {})).toMatchObject(failure('EACCES'))
  })

  it.skipIf(!canMount)('that is read-only fails with EROFS and advice (needs root, to mount)', () => {
    const [outcome] = startMounted('mount -t tmpfs -o ro tmpfs "$TMPDIR"', directory)
    expect(outcome).toMatchObject(failure('EROFS'))
  })

  it.skipIf(!canMount)(
    'that has no room for the key fails with ENOSPC and leaves nothing (needs root, to mount)',
    () => {
      const fill = '! head -c 1M /dev/zero > "$TMPDIR/zeros" 2> /dev/null'
      const [outcome, left] = startMounted(`mount -t tmpfs -o size=16k tmpfs "$TMPDIR"; ${fill}`, directory)
      expect(outcome).toMatchObject(failure('ENOSPC'))
      expect(left).toEqual(['zeros'])
    },
  )

  it.skipIf(!canMount)('that has no room for a directory fails with ENOSPC (needs root, to mount)', () => {
    const [outcome, left] = startMounted('mount -t tmpfs -o nr_inodes=1 tmpfs "$TMPDIR"', directory)
    expect(outcome).toMatchObject(failure('ENOSPC'))
    expect(left).toEqual([])
  })
})

it.skipIf(!canMount)('an address on a read-only file system fails with EROFS (needs root, to mount)', () => {
  const program = `import { Manager } from 'procshare'
    Manager.start({ address: ${JSON.stringify(join(directory, 'socket'))} }).catch(
      ({ code, message }) => console.log(JSON.stringify({ code, message })))`
  const script = 'mount -t tmpfs -o ro tmpfs "$1"; exec "$0" --input-type=module --eval "$2"'
  const args = ['--mount', 'sh', '-c', script, process.execPath, directory, program]
  const output = execFileSync('unshare', args, { cwd: new URL('../..', import.meta.url), timeout: DEADLINE_MS })
  const { code, message } = JSON.parse(output.toString()) as Outcome
  expect(code).toBe('EROFS')
  expect(message).toMatch(/^Cannot listen at .*read-only/)
})

describe('the next start', () => {
  it('removes the directory of a server that was killed together with its creator', () => {
    leftover('procshare-manager-aaaaaa')
    expect(start(directory).code).toBe(undefined)
    expect(readdirSync(directory)).toEqual([])
  })

  it.each([
    ['made', []],
    ['listening', ['new']],
    ['with its key', ['key', 'new']],
    ['published', ['key', 'socket']],
  ])('removes a directory whose server was killed just when it was %s', async (step, entries) => {
    const { ended } = startHalting('SIGKILL', step)
    expect(await ended).toEqual([null, 'SIGKILL'])
    const [name] = readdirSync(directory)
    expect(readdirSync(join(directory, name!)).sort()).toEqual(entries)
    expect(start(directory).code).toBe(undefined)
    expect(readdirSync(directory)).toEqual([])
  })

  it('removes a directory whose removal was interrupted by a SIGKILL', async () => {
    leftover('procshare-manager-aaaaaa')
    const { ended } = startHalting('SIGKILL', 'about to remove')
    expect(await ended).toEqual([null, 'SIGKILL'])
    unlinkSync(join(directory, 'procshare-manager-aaaaaa', 'socket'))
    expect(start(directory).code).toBe(undefined)
    expect(readdirSync(directory)).toEqual([])
  })

  describe.skipIf(process.platform !== 'linux')('leaves a server able to start (stopping is seen in /proc)', () => {
    async function expectToServe({ address, close }: ReturnType<typeof startHalting>) {
      await using manager = await Manager.connect({ address: await address })
      expect(await (await manager.list([1])).at(0)).toBe(1)
      manager.close()
      await close()
      expect(readdirSync(directory)).toEqual([])
    }

    it.each(['made', 'listening', 'with its key', 'published'])('that was just %s', async (step) => {
      const server = startHalting('SIGSTOP', step)
      await server.stopped()
      expect(start(directory).code).toBe(undefined)
      server.proceed()
      await expectToServe(server)
    })

    it.each(['listening', 'with its key'])('that was just %s and whose socket is taken away', async (step) => {
      const server = startHalting('SIGSTOP', step)
      await server.stopped()
      unlinkSync(join(directory, readdirSync(directory)[0]!, 'new'))
      expect(start(directory).code).toBe(undefined)
      server.proceed()
      await expectToServe(server)
    })

    it('when many start at the same time', async () => {
      const servers = Array.from({ length: 8 }, () => startHalting('SIGSTOP', 'made'))
      for (const server of servers) await server.stopped()
      for (const server of servers) server.proceed()
      const addresses = await Promise.all(servers.map(({ address }) => address))
      expect(new Set(addresses).size).toBe(8)
      for (const address of addresses) {
        const manager = await Manager.connect({ address })
        expect(await manager.names()).toEqual([])
        manager.close()
      }
      for (const server of servers) await server.close()
      expect(readdirSync(directory)).toEqual([])
    })
  })

  it('does not follow a symbolic link to a directory', () => {
    const elsewhere = join(directory, 'elsewhere')
    mkdirSync(elsewhere)
    const left = leftover('procshare-manager-aaaaaa', elsewhere)
    symlinkSync(left, join(directory, 'procshare-manager-bbbbbb'))
    expect(start(directory).code).toBe(undefined)
    expect(readdirSync(left).sort()).toEqual(['key', 'socket'])
  })

  it.skipIf(process.platform !== 'linux')(
    'does not follow a link that takes the place of a directory which it is about to remove',
    async () => {
      const elsewhere = join(directory, 'elsewhere')
      mkdirSync(elsewhere)
      const victim = leftover('procshare-manager-victim', elsewhere)
      const left = leftover('procshare-manager-aaaaaa')
      const server = startHalting('SIGSTOP', 'about to remove')
      await server.stopped()
      renameSync(left, join(elsewhere, 'moved'))
      symlinkSync(victim, left)
      server.proceed()
      await server.address
      await server.close()
      expect(readdirSync(victim).sort()).toEqual(['key', 'socket'])
      expect(existsSync(left)).toBe(true)
    },
  )

  it('removes a linked key, not the file behind it', () => {
    const left = leftover('procshare-manager-aaaaaa')
    const file = join(directory, 'file')
    renameSync(join(left, 'key'), file)
    symlinkSync(file, join(left, 'key'))
    expect(start(directory).code).toBe(undefined)
    expect(readdirSync(directory)).toEqual(['file'])
    expect(readFileSync(file).length).toBe(32)
  })

  it('does not remove a directory with a foreign file in it', () => {
    const left = leftover('procshare-manager-aaaaaa')
    writeFileSync(join(left, 'mine'), '')
    expect(start(directory).code).toBe(undefined)
    expect(readdirSync(left).sort()).toEqual(['key', 'mine', 'socket'])
  })

  it('does not remove a directory that other users may enter', () => {
    const left = leftover('procshare-manager-aaaaaa')
    chmodSync(left, 0o755)
    expect(start(directory).code).toBe(undefined)
    expect(readdirSync(left).sort()).toEqual(['key', 'socket'])
  })

  it.skipIf(!isRoot)('leaves a directory of another user, even as root (needs root, to give one away)', () => {
    const left = leftover('procshare-manager-aaaaaa')
    chownSync(left, NOBODY, NOBODY)
    expect(start(directory).code).toBe(undefined)
    expect(readdirSync(left).sort()).toEqual(['key', 'socket'])
  })

  it.skipIf(!canMount)('leaves what is mounted on a directory of that name (needs root, to mount)', () => {
    const left = leftover('procshare-manager-aaaaaa')
    const mount = `mount -t tmpfs -o mode=0700 tmpfs "$SEEN"; echo k > "$SEEN/key"`
    const [outcome, entries] = startMounted(mount, directory, left)
    expect(outcome.code).toBe(undefined)
    expect(entries).toEqual(['key'])
  })
})

describe('the key beside a socket is not taken', () => {
  let manager: Manager
  beforeEach(async () => {
    manager = await Manager.start()
  })
  afterEach(() => manager.shutdown())

  /** A process that does not know the key by another way. */
  function connect(address: string): Outcome {
    const program = `import { Manager } from 'procshare'
      Manager.connect({ address: ${JSON.stringify(address)} }).then(
        (manager) => (console.log('{}'), manager.close()),
        ({ name, code }) => console.log(JSON.stringify({ name, code })))`
    const options = { cwd: new URL('../..', import.meta.url), timeout: DEADLINE_MS }
    return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '--eval', program], options).toString())
  }
  const none = { name: 'ShareError', code: 'ERR_NO_KEY' }

  it('through a link to the key', () => {
    const address = manager.address as string
    expect(connect(address)).toEqual({})
    const key = join(dirname(address), 'key')
    renameSync(key, join(directory, 'key'))
    symlinkSync(join(directory, 'key'), key)
    expect(connect(address)).toEqual(none)
    unlinkSync(key)
    renameSync(join(directory, 'key'), key)
  })

  it('through a link to the directory', () => {
    const link = join(directory, 'procshare-manager-aaaaaa')
    symlinkSync(dirname(manager.address as string), link)
    expect(connect(join(link, basename(manager.address as string)))).toEqual(none)
  })

  it.skipIf(!isRoot)('from a directory or file of another user (needs root, to give one away)', () => {
    const address = manager.address as string
    const path = dirname(address)
    for (const other of [path, join(path, 'key')]) {
      chownSync(other, NOBODY, NOBODY)
      expect(connect(address)).toEqual(none)
      chownSync(other, 0, 0)
    }
    expect(connect(address)).toEqual({})
  })
})

it('the directory of a killed server is removed by its creator, and no other directory is', async () => {
  await using manager = await Manager.start()
  const path = dirname(manager.address as string)
  const moved = join(directory, basename(path))
  // What has taken its place is no directory of a server.
  renameSync(path, moved)
  symlinkSync(moved, path)
  onTestFinished(() => rmSync(path, { force: true }))
  process.kill(manager.pid!, 'SIGKILL')
  await manager.closed
  await eventually(() => !manager.isConnected)
  await expect(manager.names()).rejects.toThrow(shareError('ERR_DISCONNECTED'))
  expect(readdirSync(moved).sort()).toEqual(['key', 'socket'])
})
