// The C++ files of the addon for one operating system, as binding.gyp has them: the one place where they are listed.

import { readFileSync } from 'node:fs'
import path from 'node:path'

/** What the switches of binding.gyp for Linux can be set to: the parts of other systems that need nothing of theirs. */
export const FALLBACKS = { procshare_wait: 'polling', procshare_mutex: 'owner', procshare_memory: 'sidecar' }

/**
 * Paths from the root of the package.
 *
 * @param os as gyp calls it: linux, mac, win
 * @param switches values for the variables at the top of binding.gyp
 */
export function nativeSources(os, switches = {}) {
  const gyp = parse(readFileSync(path.join(import.meta.dirname, '..', 'binding.gyp'), 'utf8'))
  const defaults = Object.entries(gyp.variables ?? {}).map(([name, value]) => [name.replace(/%$/, ''), value])
  return sourcesOf(gyp.targets[0], { ...Object.fromEntries(defaults), ...switches, OS: os })
}

function sourcesOf(scope, variables) {
  const chosen = (scope.conditions ?? []).map(([condition, then, otherwise = {}]) => {
    const [, name, value] = condition.match(/^(\w+)=='(\w+)'$/) ?? []
    if (name === undefined) throw new Error(`native-sources.mjs does not understand the condition ${condition}`)
    return sourcesOf(variables[name] === value ? then : otherwise, variables)
  })
  return [...(scope.sources ?? []), ...chosen.flat()]
}

// A gyp file is a literal that JavaScript reads as well, but for its comments.
function parse(text) {
  return new Function(`return ${text.replace(/^(\s*)#.*$/gm, '$1')}`)()
}
