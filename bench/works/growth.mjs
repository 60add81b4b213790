/** The cost of an operation with more attached processes and with larger segments. */
import { Subject } from '../subject.mjs'

const PROCESSES = [1, 10, 100]
const SIZES = [
  { label: '1 KB', bytes: 1 << 10 },
  { label: '32 KB', bytes: 32 << 10 },
  { label: '1 MB', bytes: 1 << 20 },
  { label: '32 MB', bytes: 32 << 20 },
  { label: '1 GB', bytes: 1 << 30 },
]

const OPERATIONS = [
  { title: 'lock + unlock', unit: 'ns', turnMs: 2, start: (name) => Subject.script('array-use', 'lock', name) },
  { title: 'element += 1', unit: 'ns', turnMs: 2, start: (name) => Subject.script('array-use', 'elements', name) },
  { title: 'attach + close', unit: 'µs', turnMs: 4, start: (name) => Subject.script('attach', 'array', name) },
]

/** One row per setting of the same operation, compared with the first setting. */
function rowsOf({ start }, settings) {
  return settings.map(({ label, name }, index) => ({
    system: label,
    process: start(name),
    ...(index > 0 && { against: settings[0].label, goal: 'flat' }),
  }))
}

export const processGrowth = OPERATIONS.map((operation) => ({
  name: 'growth',
  title: `Attached processes: ${operation.title}`,
  unit: operation.unit,
  turnMs: operation.turnMs,
  async rows({ unique, keep }) {
    const settings = PROCESSES.map((count) => ({ count, label: `${count} attached`, name: unique() }))
    const largest = Math.max(...PROCESSES)
    for (let process = 0; process < largest; process++) {
      const wanted = settings.filter(({ count }) => count > process)
      await keep(wanted.map(({ name }) => ({ kind: 'array', name, length: 512 })))
    }
    return rowsOf(operation, settings)
  },
}))

export const sizeGrowth = OPERATIONS.map((operation) => ({
  name: 'growth',
  title: `Segment size: ${operation.title}`,
  unit: operation.unit,
  turnMs: operation.turnMs,
  async rows({ unique, keep }) {
    const settings = SIZES.map((size) => ({ ...size, name: unique() }))
    await keep(settings.map(({ name, bytes }) => ({ kind: 'array', name, length: bytes / 8 })))
    return rowsOf(operation, settings)
  },
}))

export const pendingGrowth = [
  {
    name: 'growth',
    title: 'A wait that is served, beside pending asynchronous waits',
    unit: 'ns',
    turnMs: 20,
    rounds: 21,
    rows: async () =>
      [1, 100, 10_000].map((count, i) => ({
        system: `${count} pending`,
        process: Subject.script('pending', String(count)),
        ...(i > 0 && { against: '1 pending', goal: 'flat' }),
      })),
  },
]
