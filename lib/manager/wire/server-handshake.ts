/** ServerHandshake: the server's side of the handshake with one client. The messages are those of handshake.ts. */
import { isOpening, newNonce, REFUSED, type Refusal, readProof, writeHello, writeWelcome } from './handshake.ts'

export class ServerHandshake {
  readonly #key: Uint8Array
  readonly #nonce = newNonce()
  #hasOpened = false
  #clientNonce: Buffer | undefined

  constructor(key: Uint8Array) {
    this.#key = key
  }

  /** The greeting, which is sent without waiting for the opening. */
  get hello(): Buffer {
    return writeHello(this.#nonce)
  }

  /** Whether the client has proved that it has the key. */
  get isTrusted(): boolean {
    return this.#clientNonce !== undefined
  }

  /** Takes a frame of the client; returns the reason if the client is refused. */
  receive(frame: Buffer): Refusal | undefined {
    if (!this.#hasOpened) {
      this.#hasOpened = isOpening(frame)
      return this.#hasOpened ? undefined : REFUSED.VERSION
    }
    const proof = readProof(frame, this.#key, this.#nonce)
    if (typeof proof === 'number') return proof
    this.#clientNonce = proof
    return undefined
  }

  /** The welcome for a trusted client. */
  welcome(about: Uint8Array): Buffer {
    return writeWelcome(this.#key, this.#nonce, this.#clientNonce!, about)
  }
}
