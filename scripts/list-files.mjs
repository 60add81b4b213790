// Prints what each source file is for, as its opening comment says.
//
//   node scripts/list-files.mjs              all files of lib/ and native/
//   node scripts/list-files.mjs lib/sync     the files of one folder

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

process.chdir(path.join(import.meta.dirname, '..'))
const folders = process.argv.length > 2 ? process.argv.slice(2) : ['lib', 'native']
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...folders], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.(ts|mjs|cc|h|c)$/.test(file) && existsSync(file) && !isBodyOf(file))

for (const file of files) console.log(`${file}: ${purposeOf(readFileSync(file, 'utf8'))}`)

/** Whether it is the body of a header, which then says what both are for. */
function isBodyOf(file) {
  return file.endsWith('.cc') && existsSync(file.replace(/cc$/, 'h'))
}

/** The first sentence of the first comment of a file. */
function purposeOf(text) {
  const comment = /^\s*(?:\/\*\*([\s\S]*?)\*\/|((?:\/\/.*\n)+))/m.exec(text)
  const words = (comment?.[1] ?? comment?.[2] ?? '').replace(/^[ \t]*(?:\*|\/\/)[ \t]?/gm, '').split(/\n\s*\n/)[0]
  return /^.*?[.;](?=\s|$)|^.*$/.exec(words.replace(/\s+/g, ' ').trim())[0]
}
