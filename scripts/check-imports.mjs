// Checks the direction of imports in lib/: a file imports only from its own layer or from a lower one, types included. No files import
// each other in a circle, types included. The files of APART import nothing from each other. Prints each violation and ends with code 1.

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** From the lowest to the highest: folders, or single files of lib/. Entries of one row may import each other. */
const LAYERS = [
  [
    'define-property.ts',
    'kinds-of-value.ts',
    'entries.ts',
    'native-interface.ts',
    'errors',
    'inspection.ts',
    'truthy.ts',
  ],
  ['validate.ts', 'abort-registry.ts', 'native.ts', 'lifecycle.ts'],
  ['scalars'],
  ['memory'],
  ['codec'],
  ['sync'],
  ['views'],
  ['queue'],
  ['when-available.ts', 'state', 'process'],
  ['manager/contract', 'manager/wire'],
  ['manager'],
  ['index.ts'],
  // The programs that Node runs.
  ['process/child-main.ts', 'manager/server/server-main.ts'],
]

/** The sides of a managed type, which do not import from each other. */
const CONTRACT = /^manager\/(contract\/|types\/[^/]+\/contract\.ts$)/
const CLIENT = /^manager\/(client\/|types\/proxies\.ts$|types\/[^/]+\/(proxy|guard)\.ts$)/
const SERVER = /^manager\/(server\/|types\/objects\.ts$|types\/[^/]+\/(?!contract|proxy|guard))/
const APART = [
  { from: CLIENT, to: SERVER, message: 'the client does not import from the server' },
  { from: SERVER, to: CLIENT, message: 'the server does not import from the client' },
  {
    from: CONTRACT,
    to: /^manager\/(?!contract\/|types\/[^/]+\/contract\.ts$)/,
    message: 'contracts import only contracts',
  },
]

const IMPORT = /^(?:import|export)(?: type)?\b(?:[^'"]*?from)? '(?<target>\.[^']+)'/gm

process.chdir(path.join(import.meta.dirname, '../lib'))
const files = readdirSync('.', { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => /(?<!\.d)\.ts$/.test(file))

const imports = new Map(files.map((file) => [file, importsOf(file)]))
const problems = [...files.filter((file) => layerOf(file) < 0).map((file) => `${file}: say in which layer it is`)]
for (const [file, targets] of imports) {
  for (const { target } of targets) {
    if (layerOf(target) > layerOf(file)) problems.push(`${file} imports ${target}, which is in a higher layer`)
  }
}
for (const [file, targets] of imports) {
  for (const { from, to, message } of APART) {
    if (!from.test(file)) continue
    for (const { target } of targets) if (to.test(target)) problems.push(`${file} imports ${target}: ${message}`)
  }
}
for (const circle of circles()) problems.push(`a circle of imports: ${circle.join(' ')}`)
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1

function importsOf(file) {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(({ groups }) => ({
    target: path.posix.join(path.posix.dirname(file), groups.target),
  }))
}

function layerOf(file) {
  const single = LAYERS.findIndex((row) => row.includes(file))
  return single < 0 ? LAYERS.findIndex((row) => row.some((name) => file.startsWith(`${name}/`))) : single
}

/** The sets of files that import each other, after Tarjan (1972). */
function circles() {
  const found = []
  const index = new Map()
  const low = new Map()
  const stack = []
  for (const file of files) if (!index.has(file)) visit(file)
  return found

  function visit(file) {
    index.set(file, index.size)
    low.set(file, index.get(file))
    stack.push(file)
    for (const { target } of imports.get(file) ?? []) {
      if (!index.has(target)) visit(target)
      if (stack.includes(target)) low.set(file, Math.min(low.get(file), low.get(target)))
    }
    if (low.get(file) !== index.get(file)) return
    const circle = stack.splice(stack.indexOf(file))
    if (circle.length > 1) found.push(circle.sort())
  }
}
