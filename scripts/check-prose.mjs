// Checks the prose of all pages: sentences of at most MAX_WORDS words, and words that hide who does what. Comments in lib/ and native/ are
// checked for these words, too.
//
//   node scripts/check-prose.mjs              prints each violation as file:line and ends with code 1
//   node scripts/check-prose.mjs --count      prints how many sentences of each page are longer than 30 and 35 words

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const MAX_WORDS = 30
const MAX_README_LINES = 200

const WORDS = [
  {
    pattern: /\b(whoever|whosoever|somebody|someone|anybody|those who|he|him|his|himself)\b/i,
    advice: 'name the process, thread or user',
  },
  { pattern: /\bin vain\b/i, advice: 'say what did not happen' },
  { pattern: /\banew\b/i, advice: 'write "again" or "new"' },
  { pattern: /\bso many\b/i, advice: 'say how many' },
]

process.chdir(path.join(import.meta.dirname, '..'))
const pages = filesOf('*.md')
const sources = filesOf('lib', 'native')

if (process.argv.includes('--count')) count()
else check()

function filesOf(...patterns) {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...patterns], { encoding: 'utf8' })
  return listed.split('\n').filter((name) => name !== '' && existsSync(name))
}

function check() {
  const violations = pages.flatMap(violationsOf)
  const lines = readFileSync('README.md', 'utf8').split('\n').length - 1
  if (lines > MAX_README_LINES) violations.push(`README.md:${lines}: at most ${MAX_README_LINES} lines are allowed`)
  violations.push(...sources.flatMap(wordsInComments))
  for (const violation of violations) console.error(violation)
  process.exitCode = violations.length === 0 ? 0 : 1
}

function count() {
  const totals = [0, 0]
  for (const page of pages) {
    const lengths = unitsOf(page).flatMap(({ text }) => sentencesOf(text).map(wordsIn))
    const counts = [30, 35].map((limit) => lengths.filter((length) => length > limit).length)
    counts.forEach((value, i) => {
      totals[i] += value
    })
    console.log(`${page}: ${counts.join(', ')}`)
  }
  console.log(`more than 30 words: ${totals[0]}; more than 35: ${totals[1]}`)
}

function violationsOf(page) {
  return unitsOf(page).flatMap(({ line, text }) => {
    const long = sentencesOf(text)
      .filter((sentence) => wordsIn(sentence) > MAX_WORDS)
      .map((sentence) => `a sentence of ${wordsIn(sentence)} words, at most ${MAX_WORDS} are allowed: ${sentence}`)
    const words = WORDS.flatMap(({ pattern, advice }) => {
      const found = pattern.exec(text)
      return found ? [`"${found[0]}": ${advice}`] : []
    })
    return [...long, ...words].map((message) => `${page}:${line}: ${message}`)
  })
}

function wordsInComments(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      if (!/^\s*(\*|\/\*\*|\/\/)|\s\/\/\s/.test(line)) return []
      const words = WORDS.filter(({ pattern }) => pattern.test(line))
      return words.map(({ pattern, advice }) => `${file}:${index + 1}: "${pattern.exec(line)[0]}": ${advice}`)
    })
}

/** The paragraphs, items, headings and cells of a page, without its code, each as one line of text. */
function unitsOf(page) {
  const units = []
  let open
  let fence
  readFileSync(page, 'utf8')
    .replace(/^---\n[\s\S]*?\n---\n/, (front) => front.replace(/[^\n]/g, ''))
    .replace(/<!--[\s\S]*?-->/g, (comment) => comment.replace(/[^\n]/g, ''))
    .split('\n')
    .forEach((raw, index) => {
      const line = index + 1
      const text = raw.trim()
      const mark = /^(```+|~~~+)/.exec(text)?.[1]
      if (fence !== undefined) {
        if (mark === fence) fence = undefined
        return
      }
      if (mark !== undefined) {
        fence = mark
        open = undefined
        return
      }
      if (text.startsWith('|')) {
        for (const cell of text.replaceAll('\\|', ' ').split('|')) units.push({ line, text: plain(cell) })
        open = undefined
        return
      }
      const isStart = /^([-*+]|\d+\.)\s|^#/.test(text)
      if (text === '' || isStart) open = undefined
      if (text === '') return
      if (open === undefined) {
        open = { line, text: '' }
        units.push(open)
      }
      open.text = `${open.text} ${plain(text.replace(/^([-*+]|\d+\.|#+)\s+/, ''))}`.trim()
      if (text.startsWith('#')) open = undefined
    })
  return units
}

/** Text without markup: a piece of code counts as one word, and a link as its text. */
function plain(markdown) {
  return markdown
    .replace(/``.*?``|`[^`]*`/g, 'code')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]+>/g, ' ')
    .replace(/[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}/g, '')
    .trim()
}

function sentencesOf(text) {
  return text.split(/(?<=[.!?:][)"'”]?)\s+/)
}

function wordsIn(sentence) {
  return sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length
}
