/** test/portable/exceptions.mjs lists tests by their full names: each of them has to be a test of its file. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../helpers/documentation.ts'
import { allExceptions } from '../portable/exceptions.mjs'

/** The titles in a file, as patterns: what `%s`, `$name` and `${…}` stand for is not in the text. */
function titlesIn(file: string): RegExp[] {
  const strings = readFileSync(path.join(ROOT, file), 'utf8').matchAll(/'((?:\\.|[^'\\\n])*)'|"([^"\n]*)"|`([^`]*)`/g)
  return [...strings].map(([, single, double, template]) => {
    const text = (single ?? double ?? template)!.replace(/\\(.)/g, '$1')
    const parts = text.split(/%[a-z#]|\$\{[^}]*\}|\$\w+(?:\.\w+)*/)
    return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`)
  })
}

function missingIn(file: string, names: readonly string[]): string[] {
  if (!existsSync(path.join(ROOT, file))) return [file]
  const titles = titlesIn(file)
  return names.filter((name) => {
    const own = name.split(' > ').at(-1)!
    return !titles.some((title) => title.test(name) || title.test(own))
  })
}

// The titles of the conformance suite are put together from a catalogue.
const files = [...new Set(allExceptions().map(({ file }) => file))].filter(
  (file) => !file.startsWith('test/conformance/'),
)

it.each(files)('the exceptions of %s are tests of that file', (file) => {
  const names = allExceptions()
    .filter((exception) => exception.file === file)
    .flatMap(({ tests = [] }) => tests)
  expect(missingIn(file, names)).toEqual([])
})

it('finds a name that is no test', () => {
  expect(missingIn('test/unit/pipe.test.ts', ['a tube > carries water'])).toEqual(['a tube > carries water'])
  expect(missingIn('test/unit/pipe.test.ts', ['a pipe > carries messages both ways'])).toEqual([])
})
