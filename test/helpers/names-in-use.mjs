// The names of shared memory, from the operating system where it lists them, and otherwise from the listing of the library.

import { existsSync, readdirSync } from 'node:fs'
import { listSegments } from 'procshare'

const FOLDER = '/dev/shm'
const canBeSeen = process.platform === 'linux'

export function namesInUse() {
  return canBeSeen ? readdirSync(FOLDER) : listSegments().map(({ name }) => name)
}

export function isNameInUse(name) {
  return canBeSeen ? existsSync(`${FOLDER}/${name}`) : namesInUse().includes(name)
}
