import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isOpening,
  MAX_HANDSHAKE_BYTES,
  newNonce,
  PROTOCOL_VERSION,
  REFUSED,
  readHello,
  readProof,
  readWelcome,
  writeHello,
  writeOpening,
  writeProof,
  writeRefusal,
  writeWelcome,
} from '../../lib/manager/wire/handshake.ts'
import { shareError } from '../helpers/error-matchers.ts'

const key = Buffer.from('the key')
const otherKey = Buffer.from('another key')
const server = newNonce()
const client = newNonce()
const about = Buffer.from('{"id":"x"}')

/** Without the length, as it arrives. */
const body = (frame: Buffer) => frame.subarray(4)
const welcome = (withKey = key) => body(writeWelcome(withKey, server, client, about))

/** The same with other bytes in it. */
function changed(frame: Buffer, offset: number, bytes: readonly number[]): Buffer {
  const copy = Buffer.from(frame)
  copy.set(bytes, offset)
  return copy
}

const OTHER_VERSION = [PROTOCOL_VERSION + 1, 0]

describe('the handshake', () => {
  it('succeeds for two peers with the same key, and carries the welcome of the server', () => {
    expect(isOpening(body(writeOpening()))).toBe(true)
    expect(readHello(body(writeHello(server)), 'it')).toEqual(server)
    expect(readProof(body(writeProof(key, server, client)), key, server)).toEqual(client)
    expect(readWelcome(welcome(), key, server, client, 'it')).toEqual(about)
  })

  it('begins each message with its length, and no message of a client exceeds the limit', () => {
    for (const frame of [writeOpening(), writeHello(server), writeProof(key, server, client), writeRefusal(1)]) {
      expect(frame.readUInt32LE(0)).toBe(frame.byteLength - 4)
      expect(frame.byteLength - 4).toBeLessThanOrEqual(MAX_HANDSHAKE_BYTES)
    }
  })

  it('fails for another key on either side', () => {
    expect(readProof(body(writeProof(otherKey, server, client)), key, server)).toBe(REFUSED.KEY)
    const read = () => readWelcome(welcome(otherKey), key, server, client, 'it')
    expect(read).toThrow(shareError('ERR_AUTHENTICATION', /manager at it does not know this client's key/))
  })

  it('refuses a proof for another nonce, and one that is sent back to its sender', () => {
    const replayed = body(writeProof(key, newNonce(), client))
    expect(readProof(replayed, key, server)).toBe(REFUSED.KEY)
    // The server's proof as the client's, and the other way round.
    const macOfServer = welcome().subarray(8, 40)
    const reflected = changed(body(writeProof(key, server, client)), 40, [...macOfServer])
    expect(readProof(reflected, key, server)).toBe(REFUSED.KEY)
    const macOfClient = body(writeProof(key, server, client)).subarray(40)
    expect(() => readWelcome(changed(welcome(), 8, [...macOfClient]), key, server, client, 'it')).toThrow(
      shareError('ERR_AUTHENTICATION'),
    )
  })

  it('refuses a proof with any bit changed', () => {
    const good = body(writeProof(key, server, client))
    for (let bit = 8 * 8; bit < good.byteLength * 8; bit++) {
      const bad = changed(good, bit >> 3, [good[bit >> 3]! ^ (1 << (bit & 7))])
      expect(readProof(bad, key, server)).toBe(REFUSED.KEY)
    }
  })

  it('distinguishes another version from another key, and from another protocol', () => {
    expect(isOpening(changed(body(writeOpening()), 4, OTHER_VERSION))).toBe(false)
    expect(readProof(changed(body(writeProof(key, server, client)), 4, OTHER_VERSION), key, server)).toBe(
      REFUSED.VERSION,
    )
    const hello = body(writeHello(server))
    expect(() => readHello(changed(hello, 4, OTHER_VERSION), 'it')).toThrow(
      shareError('ERR_PROTOCOL', /speaks version 3 of the protocol, and this client speaks version 2/),
    )
    expect(() => readHello(Buffer.from('HTTP/1.1 400 Bad Request'), 'it')).toThrow(
      shareError('ERR_PROTOCOL', /something other than a procshare manager answers/i),
    )
  })

  it.each([
    ['KEY', 'ERR_AUTHENTICATION', /rejected this client's key/],
    ['VERSION', 'ERR_PROTOCOL', /it speaks version/],
    ['FULL', 'ERR_LIMIT', /as many clients as it allows/],
  ] as const)('says why a client is refused: %s', (reason, code, message) => {
    const refusal = body(writeRefusal(REFUSED[reason]))
    expect(() => readHello(refusal, 'it')).toThrow(shareError(code, message))
    expect(() => readWelcome(refusal, key, server, client, 'it')).toThrow(shareError(code, message))
  })

  it('reads arbitrary bytes as a refusal or as an error with a code', () => {
    const good = [writeOpening(), writeHello(server), writeProof(key, server, client), welcome()].map(body)
    const mutated = fc
      .tuple(fc.constantFrom(...good), fc.nat(), fc.uint8Array({ maxLength: 6 }), fc.nat())
      .map(([bytes, offset, patch, end]) =>
        Buffer.concat([
          bytes.subarray(0, offset % bytes.byteLength),
          patch,
          bytes.subarray(offset % bytes.byteLength),
        ]).subarray(0, end % 120),
      )
    const bytes = fc.oneof(
      mutated,
      fc.uint8Array({ maxLength: 100 }).map((some) => Buffer.from(some)),
    )
    const attempt = (read: () => unknown) => {
      try {
        return read()
      } catch (error) {
        expect(error).toEqual(expect.objectContaining({ name: 'ShareError' }))
        return undefined
      }
    }
    fc.assert(
      fc.property(bytes, (message) => {
        attempt(() => readHello(message, 'it'))
        attempt(() => readWelcome(message, otherKey, server, client, 'it'))
        expect(typeof readProof(message, otherKey, server)).toBe('number')
      }),
    )
  })
})
