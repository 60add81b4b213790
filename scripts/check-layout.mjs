// Compares the tables of docs/internals/segment-layout.md with the code: every field of every struct in native/shm/layout.h with its
// offset and size, every constant there, and the byte ranges of the file locks. Prints each difference and ends with code 1.
//
// A table is recognised by the comment above it: <!-- layout: NAME -->, with the name of a struct, "constants" or
// "file locks". The compiler reports the offsets of the fields; nothing here computes them.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const DOCUMENT = 'docs/internals/segment-layout.md'
const LAYOUT = 'native/shm/layout.h'
const LOCKS = 'native/platform/posix/file_lock.h'

process.chdir(path.join(import.meta.dirname, '..'))

const structs = parseStructs(readFileSync(LAYOUT, 'utf8'))
const constants = [...readFileSync(LAYOUT, 'utf8').matchAll(/^constexpr \w+ (k\w+) =/gm)].map((match) => match[1])
if (structs.size === 0 || constants.length === 0)
  fail([`${LAYOUT} has no structs or no constants that this script understands`])

const actual = new Map([...askCompiler(), ['file locks', parseFileLocks(readFileSync(LOCKS, 'utf8'))]])
const documented = parseTables(readFileSync(DOCUMENT, 'utf8'))
const differences = [...actual].flatMap(([name, rows]) => compare(name, rows, documented.get(name)))
for (const name of documented.keys()) if (!actual.has(name)) differences.push(`${name}: there is no such thing`)
fail(differences)

/** Field names by struct, in order. */
function parseStructs(text) {
  const found = new Map()
  for (const [, name, body] of text.matchAll(/^struct (?:alignas\(\w+\) )?(\w+) \{\n([\s\S]*?)^\};/gm)) {
    found.set(
      name,
      [...body.matchAll(/^ {2}[\w:<>]+ (\w+)(?:\[\w+\])?;/gm)].map((match) => match[1]),
    )
  }
  return found
}

/** For each struct a map from field to "offset, size"; for the constants one from name to value. */
function askCompiler() {
  const lines = [...structs].flatMap(([name, fields]) => [
    ...fields.map(
      (field) => `printf("${name}\\t${field}\\t%zu, %zu\\n", offsetof(${name}, ${field}), sizeof(${name}::${field}));`,
    ),
    `printf("${name}\\tend\\t%zu, 0\\n", sizeof(${name}));`,
  ])
  lines.push(...constants.map((name) => `printf("constants\\t${name}\\t%llu\\n", (unsigned long long)${name});`))
  const folder = mkdtempSync(path.join(tmpdir(), 'procshare-layout-'))
  try {
    const source = path.join(folder, 'layout.cc')
    const program = path.join(folder, 'layout')
    const includes = '#include <cstdio>\n#include "shm/layout.h"\nusing namespace procshare;\n'
    writeFileSync(source, `${includes}int main() {\n${lines.join('\n')}\n}\n`)
    execFileSync(process.env.CXX ?? 'g++', ['-std=c++17', '-Inative', source, '-o', program], { stdio: 'inherit' })
    const answers = new Map()
    for (const line of execFileSync(program, { encoding: 'utf8' }).trim().split('\n')) {
      const [table, name, value] = line.split('\t')
      if (!answers.has(table)) answers.set(table, new Map())
      answers.get(table).set(name, value)
    }
    for (const name of structs.keys()) assertNoGaps(name, answers.get(name))
    return answers
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A gap would be padding, or a field that parseStructs did not understand. */
function assertNoGaps(struct, rows) {
  let end = 0
  for (const [field, place] of rows) {
    const [offset, size] = place.split(', ').map(Number)
    if (offset !== end)
      fail([
        `${struct}: bytes ${end} to ${offset - 1}, before ${field}, belong to no field that this script understands`,
      ])
    end = offset + size
  }
}

/** From name to "first, count". */
function parseFileLocks(text) {
  const ranges = text.matchAll(/^constexpr ByteRange (k\w+) = \{(\d+), (\d+)\};/gm)
  return new Map([...ranges].map(([, name, first, count]) => [name, `${first}, ${count}`]))
}

/** The same maps from the document. Rows: `| offset | bytes | name | …`, and for constants `| name | value | …`. */
function parseTables(text) {
  const tables = new Map()
  for (const [, name, table] of text.matchAll(/<!-- layout: (.+?) -->\s*\n((?:\|.*\n)+)/g)) {
    const rows = table.trim().split('\n').slice(2).map(cellsOf)
    const entries = rows.map((cells) =>
      name === 'constants' ? [cells[0], String(BigInt(cells[1]))] : [cells[2], `${cells[0]}, ${cells[1]}`],
    )
    if (new Set(entries.map(([key]) => key)).size !== entries.length) fail([`${name}: a row stands there twice`])
    tables.set(name, new Map(entries))
  }
  return tables
}

function cellsOf(row) {
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''))
}

function compare(name, rows, table) {
  if (table === undefined) return [`${name}: no table`]
  const found = []
  for (const [key, value] of rows) {
    if (!table.has(key)) found.push(`${name}: ${key} (${value}) is missing`)
    else if (table.get(key) !== value) found.push(`${name}: ${key} is ${value}, and ${table.get(key)} in the table`)
  }
  for (const key of table.keys()) if (!rows.has(key)) found.push(`${name}: ${key} is in the table only`)
  return found
}

function fail(messages) {
  for (const message of messages) console.error(`${DOCUMENT}: ${message}`)
  if (messages.length > 0) process.exit(1)
}
