// Evaluates binding.gyp for an operating system and an architecture, so that sources and defines are listed once. Supports the
// part of gyp's language that the file uses: Python literals, `variables`, `conditions`, `<!(command)`.

import { execSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** @returns {Record<string, any>} the first target, its conditions decided */
export function readTarget(file, variables) {
  const { variables: own = {}, targets } = parse(readFileSync(file, 'utf8'))
  return expand(decide(targets[0], { ...withoutMarks(own), ...variables }))
}

/** A variable whose name ends in % is a default. */
function withoutMarks(variables) {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name.replace(/%$/, ''), value]))
}

// Outside of strings, Python's comments become JavaScript's; the rest is the same in both languages.
function parse(text) {
  const literal = text.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|#/g, (token) => (token === '#' ? '//' : token))
  return new Function(`return (${literal}\n)`)()
}

function decide({ conditions = [], ...settings }, variables) {
  const result = merge({}, settings)
  for (const [condition, yes, no = {}] of conditions) {
    merge(result, decide(holds(condition, variables) ? yes : no, variables))
  }
  return result
}

function holds(condition, variables) {
  const expression = condition
    .replace(/\band\b/g, '&&')
    .replace(/\bor\b/g, '||')
    .replace(/\bnot\b/g, '!')
  return new Function(...Object.keys(variables), `return ${expression}`)(...Object.values(variables))
}

function merge(target, settings) {
  for (const [key, value] of Object.entries(settings)) {
    if (key.endsWith('!')) continue // removes settings of node-gyp, of which there are none here
    if (Array.isArray(value)) target[key] = [...(target[key] ?? []), ...value]
    else if (typeof value === 'object') target[key] = merge(target[key] ?? {}, value)
    else target[key] = value
  }
  return target
}

function expand(value) {
  if (typeof value === 'string') {
    return value.replace(/^<!\((.*)\)$/, (_all, command) => execSync(command, { encoding: 'utf8' }).trim())
  }
  if (Array.isArray(value)) return value.map(expand)
  if (typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, expand(each)]))
}
