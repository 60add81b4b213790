/** The tables of docs/guide/errors.md name the codes that there are. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { SHARE_ERROR_CODES } from '../../lib/errors/share-error.ts'
import { ROOT } from '../helpers/documentation.ts'

const page = readFileSync(path.join(ROOT, 'docs/guide/errors.md'), 'utf8')
const [byCode, byOperation] = page.split('## By code')[1]!.split('## By operation') as [string, string]

function codesIn(text: string): string[] {
  return [...text.matchAll(/`((?:ERR_[A-Z_]+|E[A-Z]{2,}))`/g)].map(([, code]) => code!)
}

/** The codes in the first cells of the rows of a table. */
function codesOfRows(table: string): string[] {
  return [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) => codesIn(cell!))
}

it('the table by code has every code of ShareError, and each one once', () => {
  expect(codesOfRows(byCode).sort()).toEqual([...SHARE_ERROR_CODES].sort())
})

it('the table by operation names only codes that exist', () => {
  expect(codesIn(byOperation).filter((code) => !(SHARE_ERROR_CODES as readonly string[]).includes(code))).toEqual([])
})
