/**
 * A second implementation of the control block at the end of a segment, as docs/internals/segment-layout.md describes it. It is
 * for tests that make segments which the library itself would never make.
 */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'

export const BLOCK_BYTES = 512
export const CELL_BYTES = 64
const PAGE_BYTES = 4096

/** Offsets of fields, and where the checksum leaves a gap. */
export const FIELDS = {
  magic: 0,
  layout: 8,
  abi: 12,
  ready: 16,
  flags: 20,
  totalBytes: 24,
  payloadBytes: 32,
  cellsOffset: 40,
  cellsBytes: 48,
  descriptionOffset: 56,
  descriptionBytes: 64,
  id: 72,
  nameBytes: 104,
  name: 112,
  reserved: 368,
  pidNamespace: 496,
  checksum: 504,
}

export const pathOf = (name) => `/dev/shm/${name}`

const MASK = (1n << 64n) - 1n

function add(state, bytes) {
  const step = (word) => {
    state = ((state ^ word) * 0x100000001b3n) & MASK
    state ^= state >> 32n
  }
  const whole = bytes.length - (bytes.length % 8)
  for (let i = 0; i < whole; i += 8) step(bytes.readBigUInt64LE(i))
  let rest = BigInt(bytes.length - whole)
  for (const byte of bytes.subarray(whole)) rest = (rest << 8n) | BigInt(byte)
  step(rest)
  return state
}

/** Writes the checksum that makes a block, and the description it belongs to, look like the work of the library. */
export function sign(block, description) {
  let state = 0xcbf29ce484222325n
  state = add(state, block.subarray(0, FIELDS.ready))
  state = add(state, block.subarray(FIELDS.flags, FIELDS.pidNamespace))
  state = add(state, description)
  block.writeBigUInt64LE(state, FIELDS.checksum)
}

/** The block and the description of an existing segment. */
export function readSegment(name) {
  const bytes = readFileSync(pathOf(name))
  const block = bytes.subarray(-BLOCK_BYTES)
  const start = Number(block.readBigUInt64LE(FIELDS.descriptionOffset))
  const description = bytes.subarray(start, start + Number(block.readBigUInt64LE(FIELDS.descriptionBytes)))
  return { bytes, block, description, descriptionOffset: start }
}

const roundUp = (value, unit) => Math.ceil(value / unit) * unit

/**
 * Makes a persistent segment with any description. `model` is the block of a real segment, for the fields that only native code
 * can compute.
 */
export function forgeSegment(name, model, { description, payloadBytes = 8, cells = Buffer.alloc(0) }) {
  const text = Buffer.from(description)
  const cellsOffset = roundUp(payloadBytes, CELL_BYTES)
  const descriptionOffset = cellsOffset + cells.length
  const bytes = Buffer.alloc(roundUp(descriptionOffset + text.length + BLOCK_BYTES, PAGE_BYTES))
  cells.copy(bytes, cellsOffset)
  text.copy(bytes, descriptionOffset)
  const block = bytes.subarray(-BLOCK_BYTES)
  model.copy(block)
  const put = (field, value) => block.writeBigUInt64LE(BigInt(value), FIELDS[field])
  put('totalBytes', bytes.length)
  put('payloadBytes', payloadBytes)
  put('cellsOffset', cellsOffset)
  put('cellsBytes', cells.length)
  put('descriptionOffset', descriptionOffset)
  put('descriptionBytes', text.length)
  sign(block, text)
  const file = openSync(pathOf(name), 'wx', 0o600)
  writeFileSync(file, bytes)
  closeSync(file)
}
