/** The items of the measured queues. */
export const items = {
  bytes64: new Uint8Array(64).fill(7),
  bytes64k: new Uint8Array(64 * 1024).fill(7),
  object: { id: 12_345, name: 'resize', done: false, ratio: 0.75, tags: ['a', 'b'] },
}
