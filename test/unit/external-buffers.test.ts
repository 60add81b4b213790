import { SharedArray, SharedMemory, Value } from 'procshare'
import { afterEach, describe, expect, it } from 'vitest'
// The built module, so that it is the one that the objects use.
import { native } from '../../lib/native.ts'

const { segmentBuffer } = native

/** What the native function does where the runtime answers napi_no_external_buffers_allowed, as Electron does. */
function refuse(): never {
  throw Object.assign(new Error('ERR_EXTERNAL_BUFFERS'), { code: 'ERR_EXTERNAL_BUFFERS' })
}

describe('in a runtime that refuses buffers over external memory', () => {
  afterEach(() => {
    native.segmentBuffer = segmentBuffer
  })

  it('creating an object is ERR_EXTERNAL_BUFFERS, and leaves nothing', () => {
    native.segmentBuffer = refuse
    const expected = expect.objectContaining({
      code: 'ERR_EXTERNAL_BUFFERS',
      message: expect.stringContaining('this runtime does not allow buffers'),
    })
    expect(() => Value.create('refused-value', 'i', 1)).toThrow(expected)
    expect(() => SharedArray.create('refused-array', 'd', [1, 2])).toThrow(expected)
    native.segmentBuffer = segmentBuffer
    expect(() => Value.attach('refused-value')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
    expect(() => SharedArray.attach('refused-array')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })

  it('attaching is ERR_EXTERNAL_BUFFERS, and ends the attachment', () => {
    using memory = SharedMemory.create('refused-memory', 10)
    native.segmentBuffer = refuse
    expect(() => memory.buffer).toThrow(expect.objectContaining({ code: 'ERR_EXTERNAL_BUFFERS' }))
    native.segmentBuffer = segmentBuffer
    expect(memory.buffer.byteLength).toBe(10)
  })
})
