/** Attaching to a 4 KiB segment by name, and closing it again; another process keeps the segment. */
import { Subject } from '../subject.mjs'

const BARE = 'C: shm_open + mmap, munmap + close'
const READ = 'C: the same with fstat and a word read'
const BYTES = 4096

export const attach = {
  name: 'attach',
  title: 'Attach a 4 KiB segment by name, and close it',
  unit: 'µs',
  turnMs: 4, // some hundred operations
  async rows({ compiler, unique, keep }) {
    const [memory, value] = [unique(), unique()]
    await keep([
      { kind: 'memory', name: memory, length: BYTES },
      { kind: 'value', name: value },
    ])
    return [
      { system: BARE, process: compiler.start('open_map', memory, 'bare') },
      { system: READ, process: compiler.start('open_map', memory, 'read') },
      {
        system: 'procshare: SharedMemory.attach(name).close()',
        process: Subject.script('attach', 'memory', memory),
        against: BARE,
        goal: 'attach',
      },
      {
        system: 'procshare: the same with a word read',
        process: Subject.script('attach', 'memoryRead', memory),
        against: READ,
      },
      {
        system: 'procshare: Value.attach(name).close()',
        process: Subject.script('attach', 'value', value),
        against: READ,
      },
    ]
  },
}
