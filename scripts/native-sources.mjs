// The C++ files of the addon for one operating system, as binding.gyp has them: the one place where they are listed.

import path from 'node:path'
import { readTarget } from './prebuilds/gyp.mjs'

/** What the switches of binding.gyp for Linux can be set to: the parts of other systems that need nothing of theirs. */
export const FALLBACKS = { procshare_wait: 'polling', procshare_mutex: 'members', procshare_memory: 'sidecar' }

/**
 * Paths from the root of the package.
 *
 * @param os as gyp calls it: linux, mac, win
 * @param switches values for the variables at the top of binding.gyp
 */
export function nativeSources(os, switches = {}) {
  return readTarget(path.join(import.meta.dirname, '..', 'binding.gyp'), { ...switches, OS: os }).sources
}
