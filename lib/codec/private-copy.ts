/** A copy of a module that nobody else shares. */
import { createRequire } from 'node:module'

/**
 * Loads a module anew. msgpackr keeps the memory that it writes to, and its extensions, in variables of the module, so a program
 * that uses the same copy would write into ours.
 */
export function privateCopyOf<T>(name: string): T {
  const require = createRequire(import.meta.url)
  const file = require.resolve(name)
  const shared = require.cache[file]
  delete require.cache[file]
  try {
    return require(file) as T
  } finally {
    if (shared === undefined) delete require.cache[file]
    else require.cache[file] = shared
  }
}
