/** Segments whose description or cells put two objects into one place: signed as the library signs, and refused. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { Lock, Pipe, Queue, SharedArray, SharedState, unlinkSegment, Value, wait } from 'procshare'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FIELDS, forgeSegment, pathOf, readSegment } from '../helpers/control-block.mjs'
import { shareError } from '../helpers/error-matchers.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

expectNoLeftovers()

interface Description {
  words: number
  members: { name: string; cell: number; byteOffset: number; description: Record<string, unknown> }[]
}

const CORRUPT = shareError('ERR_CORRUPT')
const SCHEMA = {
  first: SharedArray('i', 4),
  second: Value('d'),
  jobs: Queue({ byteLength: 256 }),
  lock: Lock(),
}
let name: string
beforeEach(() => {
  name = uniqueName()
})
afterEach(() => unlinkSegment(name))

/** A state whose description is changed by `edit`, and whose cells are those of a real one. */
function forge(edit: (description: Description) => void, editCells: (cells: Buffer) => void = () => {}): void {
  using model = SharedState.create(`${name}-model`, SCHEMA)
  const { bytes, block, description } = readSegment(model.name)
  const at = (field: number | undefined) => Number(block.readBigUInt64LE(field!))
  const cells = Buffer.from(bytes.subarray(at(FIELDS.cellsOffset), at(FIELDS.cellsOffset) + at(FIELDS.cellsBytes)))
  const found = JSON.parse(description.toString()) as Description
  edit(found)
  editCells(cells)
  forgeSegment(name, block, { description: JSON.stringify(found), payloadBytes: at(FIELDS.payloadBytes), cells })
}

describe('a state of which', () => {
  it.each<[string, (description: Description) => void]>([
    ['two members have one place in the payload', ({ members }) => (members[1]!.byteOffset = members[0]!.byteOffset)],
    ['an array reaches into the next member', ({ members }) => (members[0]!.description.length = 17)],
    ['two members have one cell', ({ members }) => (members[3]!.cell = members[2]!.cell)],
    ['a member begins within the cells of another', ({ members }) => (members[3]!.cell = members[2]!.cell + 64)],
    ['members are out of order', ({ members }) => (members[2]!.cell = members[3]!.cell + 64)],
    ['the place for waiters is a member', (all) => (all.words = all.members[3]!.cell)],
    ['the place for waiters is within a member', (all) => (all.words = all.members[3]!.cell + 64)],
  ])('%s is ERR_CORRUPT, with and without a schema', (_title, edit) => {
    forge(edit)
    expect(() => SharedState.attach(name)).toThrow(CORRUPT)
    expect(() => SharedState.attach(name, SCHEMA)).toThrow(expect.objectContaining({ name: 'ShareError' }))
  })

  it('a ring claims the bytes of the next member is ERR_CORRUPT', () => {
    let jobs = 0
    forge(
      ({ members }) => {
        jobs = members[2]!.cell
      },
      (cells) => {
        const at = cells.indexOf(Buffer.from([0, 1, 0, 0, 0, 0, 0, 0]), jobs) // the capacity: 256 bytes
        cells.writeBigUInt64LE(512n, at)
      },
    )
    expect(() => SharedState.attach(name)).toThrow(CORRUPT)
  })

  it('the description is not changed can be attached to', () => {
    forge(() => {})
    using state = SharedState.attach(name, SCHEMA)
    expect(state.second.add(1)).toBe(0)
  })
})

it('an array whose table of waiters is its own lock is ERR_CORRUPT for every wait', () => {
  using model = SharedArray.create(`${name}-model`, 'i', 4)
  const { bytes, block, description } = readSegment(model.name)
  const at = (field: number | undefined) => Number(block.readBigUInt64LE(field!))
  const cells = Buffer.from(bytes.subarray(at(FIELDS.cellsOffset), at(FIELDS.cellsOffset) + at(FIELDS.cellsBytes)))
  const text = description.toString().replace(/"words":\d+/, '"words":0')
  forgeSegment(name, block, { description: text, payloadBytes: at(FIELDS.payloadBytes), cells })
  using array = SharedArray.attach(name, 'i')
  expect(() => wait(array, 0, 0, 1)).toThrow(CORRUPT)
  array.lock.runSync(() => expect(array.lock.locked).toBe(true))
})

it('a pipe whose first ring claims bytes of the second one is ERR_CORRUPT', () => {
  const [end, other] = Pipe.create(name, { byteLength: 512, persist: true })
  const { bytes, block } = readSegment(name)
  const cellsOffset = Number(block.readBigUInt64LE(FIELDS.cellsOffset))
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3)
  const at = words.indexOf(512n, cellsOffset >> 3) * 8
  end.close()
  other.close()
  const capacity = Buffer.alloc(8)
  capacity.writeBigUInt64LE(1024n)
  const file = openSync(pathOf(name), 'r+')
  writeSync(file, capacity, 0, 8, at)
  closeSync(file)
  expect(() => Pipe.attach(name, 0)).toThrow(CORRUPT)
})
