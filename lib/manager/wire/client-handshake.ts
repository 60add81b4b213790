/** ClientHandshake: the client's side of the handshake, for both forms. The messages are those of handshake.ts. */
import { type AboutServer, newNonce, readHello, readWelcome, writeProof } from './handshake.ts'

export class ClientHandshake {
  readonly #key: Uint8Array
  readonly #address: string
  readonly #nonce = newNonce()
  #serverNonce: Buffer | undefined

  constructor(key: Uint8Array, address: string) {
    this.#key = key
    this.#address = address
  }

  /** Whether the greeting of the server has arrived, so that the welcome is the next message. */
  get isGreeted(): boolean {
    return this.#serverNonce !== undefined
  }

  /**
   * Takes the greeting of the server; returns the proof for it. @throws {@link ShareError} `ERR_PROTOCOL`, `ERR_AUTHENTICATION`,
   * `ERR_LIMIT`.
   */
  greet(frame: Buffer): Buffer {
    this.#serverNonce = readHello(frame, this.#address)
    return writeProof(this.#key, this.#serverNonce, this.#nonce)
  }

  /**
   * Takes the welcome of the server, which proves that the server has the key.
   * @throws {@link ShareError} `ERR_AUTHENTICATION`, `ERR_PROTOCOL`, `ERR_LIMIT`.
   */
  welcome(frame: Buffer): AboutServer {
    const json = readWelcome(frame, this.#key, this.#serverNonce!, this.#nonce, this.#address)
    return JSON.parse(json.toString()) as AboutServer
  }
}
