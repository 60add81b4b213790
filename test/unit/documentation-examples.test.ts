import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { listSegments } from 'procshare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Example,
  examplesIn,
  examplesOfComments,
  examplesOfPages,
  ROOT,
  usesLibrary,
} from '../helpers/documentation.ts'
import { namePrefix } from '../helpers/segment-names.ts'

const require = createRequire(import.meta.url)
const DEADLINE_MS = 60_000
const THROWING_ASSERT = pathToFileURL(path.join(ROOT, 'test/fixtures/throwing-assert.mjs')).href

const examples = [...examplesOfComments(), ...examplesOfPages()]
const runnable = examples.filter(({ notRun, file }) => notRun === undefined && file === undefined)

// Inside the project, so that 'procshare' is found by its name; in a folder that git and all tools ignore.
mkdirSync(path.join(ROOT, 'build'), { recursive: true })
const folder = mkdtempSync(path.join(ROOT, 'build', 'documentation-examples-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What the compiler has said, file by file. */
let diagnostics: Map<string, string>

/** Names that are written out in examples are the reader's; here each example gets its own. */
function withUniqueNames(code: string, index: number): string {
  return code.replace(
    /\b(create|open|attach|unlinkSegment)(\(\s*)'([^'/]+)'/g,
    (_all, call, open, name) => `${call}${open}'${namePrefix}-${index}-${name}'`,
  )
}

function sourceName(example: Example): string {
  return `example-${runnable.indexOf(example)}.${example.ending}`
}

beforeAll(() => {
  for (const [index, example] of runnable.entries()) {
    writeFileSync(path.join(folder, sourceName(example)), withUniqueNames(example.code, index))
  }
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: {
      target: 'es2022', // Node 20 knows neither types nor `using`
      noEmit: false,
      allowJs: true,
      checkJs: false,
      rootDir: '.',
      outDir: 'compiled',
      paths: {},
    },
    include: ['*.mts', '*.mjs', '*.cjs'],
  }
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config))
  const compiler = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc')
  const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: DEADLINE_MS,
  })
  diagnostics = new Map()
  let file = ''
  for (const line of stdout.split('\n').filter(Boolean)) {
    const isContinued = line.startsWith(' ')
    if (!isContinued) file = /^(?<file>example-\d+\.[mc][tj]s)\(/.exec(line)?.groups?.file ?? ''
    diagnostics.set(file, `${diagnostics.get(file) ?? ''}${line}\n`)
  }
}, DEADLINE_MS)

interface Outcome {
  readonly pid: number | undefined
  readonly code: number | null
  readonly output: string
}

function run(file: string): Promise<Outcome> {
  const child = spawn(process.execPath, ['--import', THROWING_ASSERT, file], { cwd: folder, timeout: DEADLINE_MS })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ pid: child.pid, code, output }))
  })
}

it('finds the examples of the library', () => {
  expect(examples.length).toBeGreaterThan(10)
  expect(examples.map(({ title }) => title)).toContain('lib/views/value.ts: Value')
})

it('understands pages: languages, CommonJS, why an example is not run, and which program it shows', () => {
  const page = [
    '# Title',
    '```sh\nnpm install procshare\n```',
    "```js\nimport { Value } from 'procshare'\n```",
    "```ts title='x'\nimport { Lock } from 'procshare'\n```",
    "```js\nconst { Lock } = require('procshare')\n```",
    "<!-- not run: needs two machines -->\n```ts\nimport 'procshare'\n```",
    '```ts\nconst x = 1\n```',
    '<!-- file: examples/program.mjs -->\n```js\nconst x = 1\n```',
  ].join('\n\n')
  const found = examplesIn(page, String).map(({ ending, notRun, file, code }) => [
    ...[ending, notRun, file],
    usesLibrary(code),
  ])
  expect(found).toEqual([
    ['mjs', undefined, undefined, true],
    ['mts', undefined, undefined, true],
    ['cjs', undefined, undefined, true],
    ['mts', 'needs two machines', undefined, false],
    ['mts', undefined, undefined, false],
    ['mjs', undefined, 'examples/program.mjs', false],
  ])
})

it('compiles the examples', () => {
  expect(diagnostics.get('') ?? '').toBe('')
})

describe.concurrent('the example', () => {
  it.for(runnable.map((example) => [example.title, example] as const))('of %s', async ([, example], { expect }) => {
    expect(usesLibrary(example.code), 'it imports what it shows').toBe(true)
    const source = sourceName(example)
    expect(diagnostics.get(source) ?? '', example.code).toBe('')
    const { pid, code, output } = await run(path.join(folder, 'compiled', source.replace('.mts', '.mjs')))
    expect(code, `${output}\n${example.code}`).toBe(0)
    const mine = `${namePrefix}-${runnable.indexOf(example)}-`
    const left = listSegments().filter(({ name, creatorPid }) => creatorPid === pid || name.startsWith(mine))
    expect(left).toEqual([])
  })
})

describe('an example fails', () => {
  const outcomeOf = (name: string, code: string) => {
    const file = path.join(folder, name)
    writeFileSync(file, code)
    return run(file)
  }

  it('when one of its assertions fails', async () => {
    const { code, output } = await outcomeOf('fails.mjs', 'console.assert(1 + 1 === 3, "sum")')
    expect(code).not.toBe(0)
    expect(output).toContain('console.assert failed: sum')
  })

  it('when it does not end by itself', async () => {
    const { code } = await outcomeOf('hangs.mjs', 'await new Promise(() => {})')
    expect(code).not.toBe(0)
  })
})
