// The names that shared memory has, going by the operating system where it can be asked, and otherwise by our own listing.

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
