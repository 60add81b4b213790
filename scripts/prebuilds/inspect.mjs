// Checks what a finished addon requires: only libraries of the system, no newer C library, and only functions that Node
// provides.

import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { machoImports } from './macho.mjs'

const NEWEST_GLIBC = [2, 28]
const SYSTEM_LIBRARIES = {
  linux: /^(lib(c|m|pthread|rt|dl)\.so(\.\d)?|ld-linux-(x86-64|aarch64)\.so\.\d)$/,
  darwin: /^\/usr\/lib\/libSystem\.B\.dylib$/,
  win32: /^(node\.exe|(KERNEL32|ADVAPI32|bcrypt|msvcrt|ntdll)\.dll|api-ms-win-[a-z0-9-]+\.dll)$/i,
}

const require = createRequire(import.meta.url)
const { js_native_api_symbols, node_api_symbols } = require('node-api-headers').symbols.v8
const NODE_API = new Set([...js_native_api_symbols, ...node_api_symbols])

export function inspect(target, file) {
  const { libraries, symbols, versions = [] } = READERS[target.platform](file)
  const surprises = libraries
    .filter((library) => !SYSTEM_LIBRARIES[target.platform].test(library))
    .map((library) => `needs ${library}`)
  const newest = versions.sort(compare).at(-1)
  if (newest !== undefined && compare(newest, NEWEST_GLIBC) > 0) surprises.push(`needs glibc ${newest.join('.')}`)
  const ofNode = symbols.filter(({ name }) => /^(napi|node_api)_/.test(name))
  for (const { name } of ofNode) if (!NODE_API.has(name)) surprises.push(`${name} is not in Node-API version 8`)
  const others = symbols.filter((symbol) => !ofNode.includes(symbol))
  for (const { name, isOfSystem } of others) if (!isOfSystem) surprises.push(`${name} is of no system library`)
  const size = `${Math.round(statSync(file).size / 1024)} KiB`
  const glibc = newest === undefined ? '' : `, glibc ${newest.join('.')}`
  const summary = `${size}${glibc}, ${libraries.join(' ')}; ${ofNode.length} functions of Node, ${others.length} of the system`
  return { summary, surprises }
}

const READERS = {
  linux(file) {
    const dynamic = execFileSync('readelf', ['-dW', file], { encoding: 'utf8' })
    const table = execFileSync('readelf', ['--dyn-syms', '-W', file], { encoding: 'utf8' })
    const needs = execFileSync('readelf', ['-VW', file], { encoding: 'utf8' })
    const undefinedOnes = [...table.matchAll(/ (GLOBAL|WEAK) +DEFAULT +UND ([\w$]+)(@\S+)?/g)]
    const isMusl = !needs.includes('GLIBC_')
    return {
      libraries: [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, library]) => library),
      versions: [...needs.matchAll(/GLIBC_([\d.]+)/g)].map(([, version]) => version.split('.').map(Number)),
      // Symbols of glibc have a version. Those of musl have none, and glibc has the same symbols.
      symbols: undefinedOnes
        .filter(([, binding]) => binding === 'GLOBAL')
        .map(([, , name, version]) => ({ name, isOfSystem: version !== undefined || (isMusl && OF_MUSL.test(name)) })),
    }
  },
  darwin: machoImports,
  win32(file) {
    const text = execFileSync('x86_64-w64-mingw32-objdump', ['-p', file], { encoding: 'utf8' })
    const parts = text.split(/^\s*DLL Name: /m).slice(1)
    const imports = parts.map((part) => {
      const [library] = part.split('\n', 1)
      const names = [...part.split('\n\n', 1)[0].matchAll(/^\s+[0-9a-f]+\s+(?:\d+|<none>)\s+(?:[0-9a-f]+\s+)?(\w+)$/gm)]
      return { library: library.trim(), names: names.map(([, name]) => name) }
    })
    return {
      libraries: imports.map(({ library }) => library),
      symbols: imports.flatMap(({ library, names }) =>
        names.map((name) => ({ name, isOfSystem: library !== 'node.exe' })),
      ),
    }
  },
}

// A C++ library that was not linked in would appear here by its mangled names.
const OF_MUSL = /^(?!_Z|__cxa_(?!finalize|atexit|thread_atexit)|__gxx|_Unwind)\w+$/

function compare([major, minor = 0], [otherMajor, otherMinor = 0]) {
  return major - otherMajor || minor - otherMinor
}
