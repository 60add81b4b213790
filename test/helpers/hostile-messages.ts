/** Arbitrary conversations of a hostile or broken client: its messages, before and after it has proved that it has the key. */
import fc, { type Arbitrary } from 'fast-check'
import * as OBJECT_TYPES from '../../lib/manager/types/objects.ts'
import { writeOpening, writeProof } from '../../lib/manager/wire/handshake.ts'
import { CANCEL, REF, REQUEST, ROOT, UNREF, writeRequest } from '../../lib/manager/wire/messages.ts'
import { jsonValue } from './json-value.ts'
import { Ref, references } from './raw-client.ts'

const builtInTypes = Object.values(OBJECT_TYPES)
const OF_ROOT = ['create', 'find', 'unlink', 'names', 'stats', 'debugInfo', 'show', 'transaction']
const OF_ALL_OBJECTS = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'then', '__defineGetter__']
const OF_BOXES = ['get', 'set', 'echo', 'wait', 'returnFunction', 'throwUnspeakable', 'rejectUnspeakable']
const OF_TYPES = builtInTypes.flatMap((type) => Object.keys(type.methods))
const TYPE_NAMES = ['box', 'dark', 'slowBox', 'no such type', '__proto__', ...builtInTypes.map((type) => type.name)]

const u32 = fc.oneof(fc.nat(20), fc.constantFrom(2 ** 31, 2 ** 32 - 1), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
const target = fc.oneof({ weight: 3, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: u32 })
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...OF_ROOT, ...OF_BOXES, ...OF_TYPES, ...OF_ALL_OBJECTS) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }).map((text) => text.replace(/[^\0-\xff]/g, '?')) },
)
const ref = fc.nat(12).map((id) => new Ref(id))
const strange = fc.constantFrom<unknown>(
  undefined,
  Number.NaN,
  -1,
  2 ** 53,
  10n ** 40n,
  '__proto__',
  new Date(Number.NaN),
  new Map([[{}, new Set([1])]]),
  new Error('sent', { cause: new TypeError('inner') }),
  Object.assign(new Error('named'), { name: 'ShareError', code: 'ERR_CLOSED' }),
  /(a+)+$/,
  new Float64Array(3),
  { procshare: 1, kind: 'Lock', name: 'no-such-lock', id: 'x' },
  { timeoutMs: -5, task: 'x' },
  { timeoutMs: 1 },
)
const argument: Arbitrary<unknown> = fc.oneof(
  fc.integer({ min: -5, max: 50 }),
  fc.string({ maxLength: 10 }),
  jsonValue({ maxDepth: 2 }),
  fc.array(fc.oneof(fc.nat(5), fc.array(fc.oneof(fc.string({ maxLength: 3 }), fc.nat(5)), { maxLength: 2 })), {
    maxLength: 3,
  }),
  ref,
  fc.array(ref, { maxLength: 3 }),
  strange,
)
const args = fc.array(argument, { maxLength: 4 })

/** Bytes that announce more than there is, refer to nothing, or nest too deep. */
const bomb = fc
  .constantFrom(
    [0xdd, 0xff, 0xff, 0xff, 0xff],
    [0xdd, 0x00, 0xff, 0xff, 0xff],
    [0xdf, 0xff, 0xff, 0xff, 0xff],
    [0xde, 0xff, 0xff],
    [0xdb, 0xff, 0xff, 0xff, 0xff],
    [0xc6, 0xff, 0xff, 0xff, 0xff],
    [0xc9, 0xff, 0xff, 0xff, 0xff, 0x74],
    [0xd6, 0x70, 0, 0, 0, 1], // refers to nothing
    [0x91, 0xd6, 0x69, 0, 0, 0, 1, 0x91, 0xd6, 0x70, 0, 0, 0, 1], // an array that contains itself
    [0xc7, 0, 0x48, 0x91, 0x05],
    [0xc7, 0, 0x45, 0xc0],
    [0xd4, 0x72, 0x41, 0x91, 0xa9, 0x5f, 0x5f, 0x70, 0x72, 0x6f, 0x74, 0x6f, 0x5f, 0x5f, 0x81, 0xa1, 0x61, 1],
    [0xd6, 0x62, 0xff, 0xff, 0xff, 0xf0, 0xa1, 0x41],
    [0xc7, 3, 0x74, 99, 1, 2],
    [0xd4, 0x78, 0, 0x92, 0xa1, 0x28, 0xa0],
  )
  .chain((bytes) => fc.integer({ min: 1, max: 2000 }).map((times) => Array.from({ length: times }, () => bytes).flat()))
const deep = fc.integer({ min: 1, max: 200_000 }).map((depth) => new Uint8Array(depth).fill(0x91))
const body = fc.oneof(
  bomb.map((bytes) => Uint8Array.from(bytes)),
  deep,
  fc.uint8Array({ maxLength: 50 }),
)

/** A frame with its length, or with another one. */
function framed(kind: number, format: number, methodLength: number, first: number, rest: Uint8Array): Buffer {
  const frame = Buffer.concat([Buffer.alloc(12), rest])
  frame.writeUInt32LE(frame.byteLength - 4, 0)
  frame.set([kind, format, methodLength], 4)
  frame.writeUInt32LE(first, 8)
  return frame
}

function u32s(...numbers: number[]): Buffer {
  return Buffer.from(Uint32Array.from(numbers).buffer)
}

const goodCall = fc
  .tuple(u32, target, fc.nat(3), method, args)
  .map(([call, to, task, name, given]) => writeRequest(call, to, task, name, given, references))
const creation = fc
  .tuple(u32, fc.constantFrom(...TYPE_NAMES), args, fc.option(fc.constantFrom('a', 'b', ''), { nil: undefined }))
  .map(([call, type, given, name]) => writeRequest(call, ROOT, 0, 'create', [type, given, name], references))
const bombCall = fc
  .tuple(u32, target, method, fc.nat(2), body)
  .map(([call, to, name, format, bytes]) =>
    framed(REQUEST, format, name.length, call, Buffer.concat([u32s(to, 0), Buffer.from(name, 'latin1'), bytes])),
  )
const note = fc
  .tuple(fc.constantFrom(CANCEL, UNREF, REF), target, u32)
  .map(([kind, first, second]) => framed(kind, 0, 0, first, kind === UNREF ? u32s(second) : Buffer.alloc(0)))
const unknown = fc
  .tuple(fc.nat(255), fc.nat(255), fc.nat(255), u32, fc.uint8Array({ maxLength: 20 }))
  .map(([kind, format, length, first, rest]) => framed(kind, format, length, first, rest))
const frame = fc.oneof(
  { weight: 4, arbitrary: goodCall },
  { weight: 3, arbitrary: creation },
  { weight: 3, arbitrary: bombCall },
  { weight: 3, arbitrary: note },
  { weight: 1, arbitrary: unknown },
)

/** Some bytes are changed, missing or added. */
function damaged(bytes: Arbitrary<Buffer>): Arbitrary<Buffer> {
  return fc
    .tuple(bytes, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.option(fc.nat()))
    .map(([good, changes, end]) => {
      const copy = Buffer.from(good)
      for (const [place, byte] of changes) copy[place % copy.byteLength] = byte
      return end === null ? copy : copy.subarray(0, end % (copy.byteLength + 1))
    })
}

export interface Conversation {
  /** Whether it begins with a correct handshake. */
  readonly isTrusted: boolean
  readonly messages: readonly Buffer[]
  /** The end of the conversation: it closes in order, or stays without reading until it is killed. */
  readonly end: 'close' | 'reset' | 'stay'
  /** Where the stream is cut. */
  readonly piece: number
}

const early = fc.oneof(
  damaged(fc.constant(writeOpening())),
  damaged(fc.constant(writeProof(Buffer.from('?'), Buffer.alloc(32), Buffer.alloc(32)))),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  frame,
)
const late = fc.oneof({ weight: 5, arbitrary: frame }, { weight: 1, arbitrary: damaged(frame) })

export const conversation: Arbitrary<Conversation> = fc.boolean().chain((isTrusted) =>
  fc.record({
    isTrusted: fc.constant(isTrusted),
    messages: fc.array(isTrusted ? late : early, { minLength: 1, maxLength: isTrusted ? 30 : 4 }),
    end: fc.constantFrom('close' as const, 'reset' as const, 'stay' as const),
    piece: fc.oneof(fc.constant(2 ** 20), fc.integer({ min: 1, max: 40 })),
  }),
)

/** A stream in pieces. */
export function* piecesOf(bytes: Buffer, length: number): Generator<Buffer> {
  // Small pieces are for the beginning, where the frames are.
  const most = Math.max(length, Math.ceil(bytes.byteLength / 50))
  for (let start = 0; start < bytes.byteLength; start += most) yield bytes.subarray(start, start + most)
}
