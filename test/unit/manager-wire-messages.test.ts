import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CANCEL,
  ERROR,
  GOODBYE,
  isMethodName,
  REF,
  REQUEST,
  RESULT,
  readClientMessage,
  readServerMessage,
  readValue,
  UNREF,
  writeCancel,
  writeRef,
  writeReply,
  writeRequest,
  writeUnref,
} from '../../lib/manager/wire/messages.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { jsonValue } from '../helpers/json-value.ts'

const references = {
  write: () => [0],
  read: () => undefined,
}
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const method = fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }).filter(isMethodName)

/** Without the length, which must be right. */
function body(frame: Buffer): Buffer {
  expect(frame.readUInt32LE(0)).toBe(frame.byteLength - 4)
  return frame.subarray(4)
}

describe('messages', () => {
  it('of a client arrive as they were sent', () => {
    fc.assert(
      fc.property(u32, u32, u32, method, fc.array(jsonValue()), (requestId, target, task, name, args) => {
        const message = readClientMessage(body(writeRequest(requestId, target, task, name, args, references)))
        expect(message).toMatchObject({ kind: REQUEST, requestId, target, task, method: name })
        if (message.kind === REQUEST) {
          expect(JSON.stringify(readValue(message, references))).toBe(JSON.stringify(args))
        }
        expect(readClientMessage(body(writeCancel(requestId)))).toEqual({ kind: CANCEL, requestId })
        expect(readClientMessage(body(writeRef(target)))).toEqual({ kind: REF, target })
        expect(readClientMessage(body(writeUnref(target, task)))).toEqual({ kind: UNREF, target, count: task })
      }),
    )
  })

  it('of a server arrive as they were sent', () => {
    fc.assert(
      fc.property(fc.constantFrom(RESULT, ERROR, GOODBYE), u32, jsonValue(), (kind, requestId, value) => {
        const message = readServerMessage(body(writeReply(kind, requestId, value, references)))
        expect(message).toMatchObject({ kind, requestId })
        expect(JSON.stringify(readValue(message, references))).toBe(JSON.stringify(value))
      }),
    )
  })

  it('with arbitrary bytes are refused as malformed', () => {
    const attempt = (read: () => unknown) => {
      try {
        read()
      } catch (error) {
        expect(error).toEqual(shareError('ERR_PROTOCOL'))
      }
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        attempt(() => readClientMessage(Buffer.from(bytes)))
        attempt(() => readServerMessage(Buffer.from(bytes)))
      }),
    )
  })

  it('that end too early are refused', () => {
    const whole = [writeRequest(1, 2, 3, 'method', [], references), writeCancel(1), writeUnref(1, 2), writeRef(1)].map(
      body,
    )
    const shortest = [16 + 'method'.length, 8, 12, 8]
    for (const [index, frame] of whole.entries()) {
      for (let end = 0; end < shortest[index]!; end++) {
        expect(() => readClientMessage(frame.subarray(0, end))).toThrow(
          shareError('ERR_PROTOCOL', /too short|names no method/),
        )
      }
    }
    const reply = body(writeReply(RESULT, 1, null, references))
    for (let end = 0; end < 8; end++) {
      expect(() => readServerMessage(reply.subarray(0, end))).toThrow(shareError('ERR_PROTOCOL'))
    }
  })

  it('name methods in Latin-1, up to 200 characters', () => {
    expect(isMethodName('größe')).toBe(true)
    expect(isMethodName('x'.repeat(200))).toBe(true)
    for (const name of ['', 'x'.repeat(201), '名前', 'ſ']) expect([name, isMethodName(name)]).toEqual([name, false])
    const tooLong = body(writeRequest(1, 0, 0, 'x'.repeat(201), [], references))
    expect(() => readClientMessage(tooLong)).toThrow(shareError('ERR_PROTOCOL', /a request that names no method/))
  })
})
