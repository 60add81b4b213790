/** Shared memory of programs that have never heard of us, and ours in their hands. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { listSegments, SharedArray, SharedMemory, unlinkSegment, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { noCompiler, runC } from '../helpers/c-compiler.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

const SCRIPT = fileURLToPath(new URL('../fixtures/lifetime-foreign.py', import.meta.url))

const pathOf = (name: string) => `/dev/shm/${name}`

const noPython = (() => {
  try {
    execFileSync('python3', ['-c', 'import multiprocessing.shared_memory'], { stdio: 'ignore' })
    return undefined
  } catch (error) {
    return `no python3 with shared_memory here: ${error}`
  }
})()

if (noPython !== undefined) console.log(`Skipped: ${noPython}`)
if (noCompiler !== undefined) console.log(`Skipped: ${noCompiler}`)

const python = (command: string, name: string) =>
  execFileSync('python3', [SCRIPT, command, name], { encoding: 'utf8' }).trim()

describe.skipIf(noPython !== undefined)('memory of a Python program', () => {
  it('is read and written by SharedMemory, and keeps its name', async () => {
    const name = uniqueName('python')
    const child = spawn('python3', [SCRIPT, 'make', name], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    expect((await lines.next()).value).toBe('made')
    const memory = SharedMemory.attach(name)
    expect(memory.byteLength).toBeGreaterThanOrEqual(10_000)
    expect(new Float64Array(memory.buffer, 0, 1)[0]).toBe(3.5)
    new Uint8Array(memory.buffer)[9_999] = 77
    expect(() => Value.attach(name)).toThrow(shareError('ERR_FOREIGN'))
    expect(() => SharedArray.attach(name)).toThrow(shareError('ERR_FOREIGN'))
    expect(() => SharedMemory.create(name, 10)).toThrow(shareError('EEXIST'))
    memory.close()
    expect(existsSync(pathOf(name))).toBe(true)
    const again = SharedMemory.attach(name)
    child.stdin.end('\n')
    expect((await lines.next()).value).toBe('77')
    await once(child, 'exit')
    expect(existsSync(pathOf(name))).toBe(false)
    expect(new Uint8Array(again.buffer)[9_999]).toBe(77)
    expect(() => again.unlink()).toThrow(shareError('ENOENT'))
    again.close()
  })

  it('has the elements of arrays of the library at offset 0', () => {
    using array = SharedArray.create(uniqueName('ours'), 'd', [1.5, -2.25, 1e300])
    expect(python('read', array.name).split(' ').map(Number)).toEqual([1.5, -2.25, 1e300])
    python('write', array.name)
    expect([...(array as Float64Array)]).toEqual([-1, -2, -3])
    expect(existsSync(pathOf(array.name))).toBe(true)
    using same = SharedArray.attach(array.name, 'd')
    expect(same[2]).toBe(-3)
  })
})

const C_PROGRAM = `
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
  int fd = shm_open(NAME, O_RDWR | (SIZE ? O_CREAT | O_EXCL : 0), 0600);
  if (fd < 0) { perror("shm_open"); return 1; }
  if (SIZE) ftruncate(fd, SIZE);
  struct stat info;
  fstat(fd, &info);
  int* words = mmap(0, info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  printf("%d %d", words[0], words[1]);
  words[0] = 1234;
  words[info.st_size / 4 - 1] = 5678;
  return 0;
}
`

const runOn = (name: string, size: number) => runC(C_PROGRAM, [`-DNAME="/${name}"`, `-DSIZE=${size}`, '-lrt'])

describe.skipIf(noCompiler !== undefined)('memory of a C program', () => {
  it.each([4, 100, 512, 4096, 5000, 100_000])('of %i bytes can be attached to by SharedMemory', (size) => {
    const name = uniqueName('c')
    runOn(name, size)
    const memory = SharedMemory.attach(name)
    expect(memory.byteLength).toBe(size)
    const words = new Int32Array(memory.buffer)
    expect(words.at(size === 4 ? 0 : -1)).toBe(5678)
    words.fill(9)
    expect(listSegments().some((segment) => segment.name === name)).toBe(false) // not one of ours
    memory.close()
    expect(() => Value.attach(name)).toThrow(shareError('ERR_FOREIGN'))
    const mode = statSync(pathOf(name)).mode & 0o7777
    expect(runOn(name, 0)).toBe(size === 4 ? '9 0' : '9 9')
    expect(statSync(pathOf(name)).mode & 0o7777).toBe(mode)
    unlinkSegment(name)
    expect(existsSync(pathOf(name))).toBe(false)
  })

  it('has the bytes of memory of the library', () => {
    using memory = SharedMemory.create(uniqueName('ours'), 8192)
    new Int32Array(memory.buffer).set([10, 20])
    expect(runOn(memory.name, 0)).toBe('10 20')
    expect(new Int32Array(memory.buffer)[0]).toBe(1234)
    // It has overwritten the end of the file, and with it what says that this is ours.
    expect(() => SharedMemory.attach(memory.name)).toThrow(shareError('ERR_CORRUPT'))
  })
})

it('a sparse file is allocated before it is used', () => {
  const name = uniqueName('sparse')
  writeFileSync(pathOf(name), '', { mode: 0o600 })
  truncateSync(pathOf(name), 2 ** 20)
  expect(statSync(pathOf(name)).blocks).toBe(0)
  const memory = SharedMemory.attach(name)
  expect(statSync(pathOf(name)).blocks * 512).toBe(2 ** 20)
  memory.close()
  expect(readFileSync(pathOf(name)).every((byte) => byte === 0)).toBe(true)
  rmSync(pathOf(name))
})
