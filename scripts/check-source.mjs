// Checks rules of this code base that no linter has. Prints each violation as file:line and ends with code 1.

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const FOLDERS = ['native', 'lib', 'test', 'bench', 'examples', 'scripts']
const SOURCE_FILE = /\.(ts|mjs|js|cc|c|h|py)$/
const CPP_FILE = /\.(cc|c|h)$/

const CONTENT_RULES = [
  {
    appliesTo: (file) => inFolder(file, 'native') && !inFolder(file, 'native/platform'),
    pattern: /^\s*#\s*(if|ifdef|ifndef|elif)\b.*\b(_WIN32|_WIN64|__linux__|__APPLE__)\b/,
    message: 'operating systems are told apart in binding.gyp and native/platform only',
  },
  {
    appliesTo: (file) => inFolder(file, 'native'),
    pattern: /(?<!\basm\s+|\b__asm__\s+)\bvolatile\b/,
    message: 'volatile does not synchronise; use std::atomic',
  },
  {
    appliesTo: (file) => inFolder(file, 'native') && !inFolder(file, 'native/js'),
    pattern: /^\s*#\s*include\s*[<"](napi|node_api|js_native_api|node|v8|uv)\.h[>"]/,
    message: 'only native/js knows Node',
  },
  {
    // Headers of the C++ standard library have no suffix; headers of operating systems do.
    appliesTo: (file) => inFolder(file, 'native/shm'),
    pattern: /^\s*#\s*include\s*<[^>]*[./][^>]*>/,
    message: 'native/shm includes no header of an operating system',
  },
  {
    appliesTo: (file) => inFolder(file, 'lib') && file !== 'lib/native.ts',
    pattern: /['"]node-gyp-build['"]/,
    message: 'only lib/native.ts loads the addon',
  },
  {
    appliesTo: (file) => inFolder(file, 'lib') && !inFolder(file, 'lib/scalars'),
    pattern: /\.code\s*[!=]==?\s*['"].['"]/,
    message: 'what a scalar type is like stands in its record: lib/scalars/scalar.ts',
  },
]

const TO_DO = { pattern: /\b(TODO|FIXME)\b(?!.*#\d)/, message: 'give the number of an issue, as in #123' }
const DRAWER = { pattern: /(^|\/)(utils?|helpers?|common|misc)(\.|\/|$)/, message: 'name the file after what it does' }

process.chdir(path.join(import.meta.dirname, '..'))
const violations = FOLDERS.flatMap(filesUnder).flatMap(check)
for (const violation of violations) console.error(violation)
process.exitCode = violations.length === 0 ? 0 : 1

function check(file) {
  const found = []
  if (DRAWER.pattern.test(file) && !inFolder(file, 'test/helpers')) found.push(`${file}:1: ${DRAWER.message}`)
  if (file === 'scripts/check-source.mjs') return found
  const text = readFileSync(file, 'utf8')
  const rules = CONTENT_RULES.filter((rule) => rule.appliesTo(file))
  const code = CPP_FILE.test(file) ? withoutComments(text) : text
  code.split('\n').forEach((line, index) => {
    for (const { pattern, message } of rules) if (pattern.test(line)) found.push(`${file}:${index + 1}: ${message}`)
  })
  text.split('\n').forEach((line, index) => {
    if (TO_DO.pattern.test(line)) found.push(`${file}:${index + 1}: ${TO_DO.message}`)
  })
  return found
}

function filesUnder(folder) {
  let names
  try {
    names = readdirSync(folder, { recursive: true })
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
  return names
    .filter((name) => SOURCE_FILE.test(name))
    .map((name) => path.posix.join(folder, name.replaceAll('\\', '/')))
}

function inFolder(file, folder) {
  return file.startsWith(`${folder}/`)
}

/** Blanks comments and keeps line numbers; string literals are matched first, so a `//` inside one is kept. */
function withoutComments(text) {
  return text.replace(/"(?:\\.|[^"\\\n])*"|\/\/.*|\/\*[\s\S]*?\*\//g, (match) =>
    match.startsWith('"') ? match : match.replace(/[^\n]/g, ' '),
  )
}
