// Installs the packed package in an empty project, without a compiler, and runs the example of the README on each runtime.
//
//   node scripts/package-test.mjs [RUNTIME…]        names of test/portable/runtimes.mjs; needs prebuilds/

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { commandOf, RUNTIMES } from '../test/portable/runtimes.mjs'
import { TARGETS } from './prebuilds/targets.mjs'

const DEADLINE_MS = 60_000
const EXPECTED = '200000\n998001\n'
const MUST_CONTAIN = [/^dist\/index\.js$/, /^docs\//, /^lib\/.*\.ts$/]
const MUST_NOT_CONTAIN = [/^test\//, /^bench\//, /^scripts\//, /^build\//, /^\./, /\.map\.map$/]

process.chdir(path.join(import.meta.dirname, '..'))
const names = process.argv.length > 2 ? process.argv.slice(2) : ['node', 'node-22', 'node-24', 'node-26', 'bun', 'deno']
const folder = mkdtempSync(path.join(tmpdir(), 'procshare-package-'))
let failed = 0
try {
  const tarball = pack()
  const project = installIn('project', tarball)
  const example = path.join(project, 'example.mjs')
  writeFileSync(example, /```js\n(import [\s\S]*?)```/.exec(readFileSync('README.md', 'utf8'))[1])
  for (const name of names) {
    const [program, ...args] = commandOf(RUNTIMES[name])
    const { stdout, stderr, error } = spawnSync(program, [...args, example], {
      cwd: project,
      encoding: 'utf8',
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    })
    check(name, stdout === EXPECTED, `${stdout}${stderr}${error ?? ''}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = failed === 0 ? 0 : 1

function pack() {
  const text = execFileSync('npm', ['pack', '--json', '--silent', `--pack-destination=${folder}`], { encoding: 'utf8' })
  // The output of the package's scripts comes first.
  const [{ filename, files, size }] = JSON.parse(text.slice(text.indexOf('[\n')))
  const paths = files.map((file) => file.path)
  const missing = [
    ...MUST_CONTAIN.filter((pattern) => !paths.some((file) => pattern.test(file))),
    ...TARGETS.map(({ file }) => `prebuilds/${file}`).filter((file) => !paths.includes(file)),
  ]
  const unwanted = paths.filter((file) => MUST_NOT_CONTAIN.some((pattern) => pattern.test(file)))
  check(
    `${filename}: ${paths.length} files, ${Math.round(size / 1024)} KiB`,
    missing.length + unwanted.length === 0,
    [...missing.map((pattern) => `nothing is ${pattern}`), ...unwanted.map((file) => `${file} is in it`)].join('\n'),
  )
  return path.join(folder, filename)
}

/** PATH contains only what npm itself needs. */
function installIn(name, tarball) {
  const project = path.join(folder, name)
  const bin = path.join(folder, 'bin')
  mkdirSync(project)
  mkdirSync(bin)
  writeFileSync(path.join(project, 'package.json'), '{ "private": true, "type": "module" }\n')
  for (const program of ['node', 'npm', 'sh']) {
    symlinkSync(execFileSync('which', [program], { encoding: 'utf8' }).trim(), path.join(bin, program))
  }
  const args = ['install', '--silent', tarball]
  execFileSync('npm', args, { cwd: project, stdio: 'inherit', env: { ...process.env, PATH: bin } })
  return project
}

function check(what, isOk, details) {
  console.log(`${isOk ? 'ok  ' : 'FAIL'} ${what}`)
  if (isOk) return
  failed++
  console.log(details.replace(/^/gm, '     '))
}
