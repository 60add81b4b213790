// The C++ files of the addon for one operating system, from binding.gyp, the only place that lists them.

import path from 'node:path'
import { readTarget } from './prebuilds/gyp.mjs'

/** The values of the switches of binding.gyp on Linux: parts of other systems that do not depend on them. */
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
