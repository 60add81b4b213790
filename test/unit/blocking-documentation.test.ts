// What blocks says so where an editor shows it: in the first lines of its documentation.
import { readdirSync, readFileSync } from 'node:fs'
import * as procshare from 'procshare'
import { expect, it } from 'vitest'

const ROOT = new URL('../../lib/', import.meta.url)
const FIRST_LINES = 4
/** A method or function whose name ends in Sync, and `wait` of words, which is called like that of Atomics. */
const BLOCKING = /^(?: {2}(?:override )?(\w+Sync)(?:<[^>]*>)?\(|export function (wait)\()/

interface Found {
  readonly place: string
  readonly name: string
  readonly documentation: string[]
}

/** Those that have a comment: what only the library itself calls has none. */
function* documentedIn(file: string): Generator<Found> {
  const lines = readFileSync(new URL(file, ROOT), 'utf8').split('\n')
  for (const [index, line] of lines.entries()) {
    const [, method, fn] = BLOCKING.exec(line) ?? []
    const name = method ?? fn
    if (name === undefined || !lines[index - 1]!.trimEnd().endsWith('*/')) continue
    const start = lines.slice(0, index).findLastIndex((each) => each.trimStart().startsWith('/**'))
    yield { place: `${file}:${index + 1}`, name, documentation: lines.slice(start, index) }
  }
}

const INTERNAL = ['sync/parking.ts', 'sync/lock-state.ts', 'manager/client/port-link.ts']
const found = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !INTERNAL.includes(file))
  .flatMap((file) => [...documentedIn(file)])

it.each(found.map(({ name, place, documentation }) => [name, place, documentation] as const))(
  'the documentation of %s (%s) says in its first lines that it blocks, and that signal handlers do not run meanwhile',
  (_name, _place, documentation) => {
    const beginning = documentation
      .slice(0, FIRST_LINES)
      .map((line) => line.replace(/^\s*(\/\*\*|\*)? ?/, ''))
      .join(' ')
    expect(beginning).toMatch(
      /[Bb]locks (the thread and )?the event loop[^:]*: signal handlers(, timers and I\/O)? do not run/,
    )
  },
)

it('the documentation of every blocking method of an exported class says that it blocks', () => {
  const names = new Set(found.map(({ name }) => name))
  for (const exported of Object.values(procshare)) {
    let prototype = typeof exported === 'function' ? exported.prototype : undefined
    for (; prototype != null && prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype)) {
      for (const name of Object.getOwnPropertyNames(prototype)) {
        if (name.endsWith('Sync')) expect(names).toContain(name)
      }
    }
  }
})
