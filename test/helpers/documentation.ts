/** The examples in the documentation: in the comments of lib/, in README.md and in docs/. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const ROOT = path.join(import.meta.dirname, '../..')

export interface Example {
  /** For readers: its place and its subject. */
  readonly title: string
  /** The extension of a file with this example. */
  readonly ending: 'mts' | 'mjs' | 'cjs'
  readonly code: string
  /** The reason why it must not be run, if the page gives one. */
  readonly notRun: string | undefined
  /** The program of which it is a copy, if the page names one: a separate test runs that program. */
  readonly file: string | undefined
}

const FENCE =
  /(?:<!-- (?:not run: (?<notRun>.+?)|file: (?<file>.+?)) -->\s*)?^(?<fence>`{3,})(?<language>ts|js)\b[^\n]*\n(?<code>[\s\S]*?)^\k<fence>$/gm

/** The examples of one text. */
export function examplesIn(text: string, titleAt: (index: number) => string): Example[] {
  return [...text.matchAll(FENCE)].map(({ index, groups }) => ({
    title: titleAt(index),
    ending: groups!.language === 'ts' ? 'mts' : /\brequire\('procshare'\)/.test(groups!.code!) ? 'cjs' : 'mjs',
    code: groups!.code!,
    notRun: groups!.notRun,
    file: groups!.file,
  }))
}

/** Every example in the comments of lib/: all of them are meant to run. */
export function examplesOfComments(): Example[] {
  return filesIn('lib', '.ts').flatMap((file) => {
    const text = readFileSync(path.join(ROOT, file), 'utf8')
    return [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap((comment) => {
      const behind = text.slice(comment.index + comment[0].length)
      const subject = /^\s*(?:export )?(?:abstract )?(?:async )?(?:\w+ )?(\w+)/.exec(behind)?.[1] ?? 'the module'
      return examplesIn(comment[0].replace(/^ *\* ?/gm, ''), () => `${file}: ${subject}`)
    })
  })
}

/** The examples on pages that use the library. */
export function examplesOfPages(): Example[] {
  return ['README.md', ...filesIn('docs', '.md')].flatMap((file) => {
    if (!existsSync(path.join(ROOT, file))) return []
    const text = readFileSync(path.join(ROOT, file), 'utf8')
    const lineAt = (index: number) => text.slice(0, index).split('\n').length
    return examplesIn(text, (index) => `${file}:${lineAt(index)}`).filter(({ code }) => usesLibrary(code))
  })
}

export function usesLibrary(code: string): boolean {
  return /(\bfrom|\brequire\(|\bimport\()\s*'procshare'/.test(code)
}

function filesIn(folder: string, ending: string): string[] {
  if (!existsSync(path.join(ROOT, folder))) return []
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .sort()
}
