// Compiled, never run: what TypeScript knows, and what it refuses.
import {
  listSegments,
  removeStaleSegments,
  type SegmentInfo,
  SharedMemory,
  ShareError,
  type ShareErrorCode,
  type TypeName,
  unlinkSegment,
} from 'procshare'
import { exactly } from './exactly.ts'

const memory = new SharedMemory(10, { persist: true, mode: 0o600 })
exactly<ArrayBuffer | SharedArrayBuffer>()(memory.buffer)
exactly<number>()(memory.byteLength)
exactly<SharedMemory>()(SharedMemory.attach('name', { anyOwner: true }))
exactly<SharedMemory>()(SharedMemory.open('name', 10))
exactly<SegmentInfo[]>()(listSegments())
exactly<string | undefined>()(listSegments()[0]!.kind)
exactly<Date>()(listSegments()[0]!.createdAt)
exactly<number>()(removeStaleSegments())
exactly<void>()(unlinkSegment('name', { anyOwner: true }))
new Uint8Array(memory.buffer)
using disposed = new SharedMemory(1)

export { disposed }

try {
  memory.unlink()
} catch (error) {
  if (error instanceof ShareError) {
    exactly<ShareErrorCode>()(error.code)
    exactly<string | undefined>()(error.segment)
    exactly<string | undefined>()(error.syscall)
    exactly<number | undefined>()(error.errno)
    if (error.code === 'ENOENT') exactly<'ENOENT'>()(error.code)
    // @ts-expect-error
    if (error.code === 'ENONSENSE') exactly<never>()(error.code)
  }
}

export const names: TypeName[] = [
  'c',
  'b',
  'B',
  'u',
  'h',
  'H',
  'i',
  'I',
  'l',
  'L',
  'q',
  'Q',
  'f',
  'd',
  '?',
  'int32',
  'bool',
]

// @ts-expect-error
export const noName: TypeName = 'integer'
// @ts-expect-error
new SharedMemory('10')
// @ts-expect-error
new SharedMemory()
// @ts-expect-error
new SharedMemory(10, { lock: true })
// @ts-expect-error
SharedMemory.create(10)
// @ts-expect-error
unlinkSegment()
// @ts-expect-error
memory.byteLength = 5
// @ts-expect-error
memory.buffer = new ArrayBuffer(1)
// @ts-expect-error
listSegments()[0]!.name = 'x'
