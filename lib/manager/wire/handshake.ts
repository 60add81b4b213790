/**
 * The handshake: both sides prove that they have the key before either reads anything else. Its messages have fixed lengths and no
 * structure that could be misread.
 *
 *    client → server   OPENING  magic | version | 0
 *    server → client   HELLO    magic | version | 0 | server nonce (32)
 *    client → server   PROOF    magic | version | 0 | client nonce (32) | HMAC(key, "client" … ) (32)
 *    server → client   WELCOME  magic | version | 0 | HMAC(key, "server" … ) (32) | AboutServer as JSON
 *                  or  REFUSAL  magic | version | reason
 *
 * The server greets without waiting for the opening. The opening allows a server of another protocol, above all TLS, to detect the mistake
 * at once.
 *
 * Each HMAC covers the role, the version and both nonces, so a proof can neither be sent back to its sender nor replayed.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { managerError } from '../../errors/manager-messages.ts'
import type { ShareError } from '../../errors/share-error.ts'
import type { Handle } from '../../memory/handle.ts'

export const PROTOCOL_VERSION = 2
/** "PSMG" */
const MAGIC = 0x474d5350
const LENGTH = 4
const HEADER = 8
const NONCE = 32
const MAC = 32
/** The largest frame of a client before it has authenticated. */
export const MAX_HANDSHAKE_BYTES = HEADER + NONCE + MAC
/** The largest frame of a server during the handshake; its last message contains AboutServer. */
export const MAX_WELCOME_BYTES = 4096

export const REFUSED = { KEY: 1, VERSION: 2, FULL: 3 } as const
export type Refusal = (typeof REFUSED)[keyof typeof REFUSED]

/** The content of the welcome of a server. */
export interface AboutServer {
  /** Identifies this server, and distinguishes it from a later one at the same address. */
  readonly id: string
  readonly pid: number
  /** The queue in shared memory in which clients of the same machine request a connection. */
  readonly rings?: Handle
  readonly frameBytes: number
}

export function newNonce(): Buffer {
  return randomBytes(NONCE)
}

export function writeOpening(): Buffer {
  return frame(0)
}

/** Whether a message is the opening of a client of this version. */
export function isOpening(message: Buffer): boolean {
  return (
    message.byteLength === HEADER && message.readUInt32LE(0) === MAGIC && message.readUInt16LE(4) === PROTOCOL_VERSION
  )
}

export function writeHello(serverNonce: Buffer): Buffer {
  return frame(0, serverNonce)
}

export function writeProof(key: Uint8Array, serverNonce: Buffer, clientNonce: Buffer): Buffer {
  return frame(0, clientNonce, macOf(key, 'client', serverNonce, clientNonce))
}

export function writeWelcome(key: Uint8Array, serverNonce: Buffer, clientNonce: Buffer, about: Uint8Array): Buffer {
  return frame(0, macOf(key, 'server', serverNonce, clientNonce), about)
}

export function writeRefusal(reason: number): Buffer {
  return frame(reason)
}

/** Reads the server's nonce. @throws {@link ShareError} `ERR_PROTOCOL`, `ERR_AUTHENTICATION`, `ERR_LIMIT`. */
export function readHello(message: Buffer, address: string): Buffer {
  assertHeader(message, address)
  if (message.byteLength !== HEADER + NONCE) throw protocolError(address, 'bad greeting')
  return Buffer.from(message.subarray(HEADER))
}

/** Reads the client's nonce, or the reason of the refusal. */
export function readProof(message: Buffer, key: Uint8Array, serverNonce: Buffer): Buffer | Refusal {
  if (message.byteLength < HEADER || message.readUInt32LE(0) !== MAGIC) return REFUSED.VERSION
  if (message.readUInt16LE(4) !== PROTOCOL_VERSION) return REFUSED.VERSION
  if (message.byteLength !== HEADER + NONCE + MAC) return REFUSED.KEY
  const clientNonce = Buffer.from(message.subarray(HEADER, HEADER + NONCE))
  const mac = message.subarray(HEADER + NONCE)
  return timingSafeEqual(mac, macOf(key, 'client', serverNonce, clientNonce)) ? clientNonce : REFUSED.KEY
}

/**
 * Checks the server's proof and returns the JSON of a welcome.
 * @throws {@link ShareError} `ERR_AUTHENTICATION` when the server does not have the key, or refuses the client's key; `ERR_PROTOCOL`;
 * `ERR_LIMIT`.
 */
export function readWelcome(
  message: Buffer,
  key: Uint8Array,
  serverNonce: Buffer,
  clientNonce: Buffer,
  address: string,
): Buffer {
  assertHeader(message, address)
  const mac = message.subarray(HEADER, HEADER + MAC)
  if (mac.byteLength !== MAC) throw protocolError(address, 'bad proof')
  if (!timingSafeEqual(mac, macOf(key, 'server', serverNonce, clientNonce))) {
    throw managerError('ERR_AUTHENTICATION', { address, why: 'wrong proof' })
  }
  return message.subarray(HEADER + MAC)
}

function assertHeader(message: Buffer, address: string): void {
  if (message.byteLength < HEADER || message.readUInt32LE(0) !== MAGIC) {
    throw protocolError(address, 'no manager')
  }
  const refusal = message.readUInt16LE(6)
  const version = message.readUInt16LE(4)
  if (refusal === REFUSED.KEY) {
    throw managerError('ERR_AUTHENTICATION', { address, why: 'server rejected the key' })
  }
  if (refusal === REFUSED.FULL) throw managerError('ERR_LIMIT', { address, limit: 'clients' })
  if (refusal !== 0 || version !== PROTOCOL_VERSION) {
    throw managerError('ERR_PROTOCOL', { address, why: 'version', version, ownVersion: PROTOCOL_VERSION })
  }
}

function protocolError(address: string, why: 'no manager' | 'bad greeting' | 'bad proof'): ShareError {
  return managerError('ERR_PROTOCOL', { address, why })
}

function macOf(key: Uint8Array, role: 'client' | 'server', serverNonce: Buffer, clientNonce: Buffer): Buffer {
  return createHmac('sha256', key)
    .update(`procshare manager ${PROTOCOL_VERSION} ${role}\0`)
    .update(serverNonce)
    .update(clientNonce)
    .digest()
}

function frame(reason: number, ...parts: Uint8Array[]): Buffer {
  const header = Buffer.alloc(LENGTH + HEADER)
  const bytes = Buffer.concat([header, ...parts])
  bytes.writeUInt32LE(bytes.byteLength - LENGTH, 0)
  bytes.writeUInt32LE(MAGIC, LENGTH)
  bytes.writeUInt16LE(PROTOCOL_VERSION, LENGTH + 4)
  bytes.writeUInt16LE(reason, LENGTH + 6)
  return bytes
}
