/** The declarations of the package, as the compiler sees them with several settings. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NODE_MODULES = path.join(ROOT, 'node_modules')

const PROGRAM = `
import { type Handle, Queue, SharedArray, Value } from 'procshare'
export const number: number = new Value('i', 1).value
export const big: bigint = new Value('q', 1n).value
export const array: Int32Array = new SharedArray('i', 4)
export const handle: Handle = new Queue<string>().handle
export const named: number = new Value('double').value
export const floats: Float64Array = new SharedArray(Float64Array, 4)
export const half: number = new Value('half', 0.5).value
`

const HALF_PROGRAM = `
import { SharedArray, Value } from 'procshare'
export const number: number = new Value(Float16Array, 0.5).value
export const array: Float16Array = new SharedArray('float16', 4)
export const same: Float16Array = new SharedArray(Float16Array, [1]).snapshot()
`

const project = mkdtempSync(path.join(tmpdir(), 'procshare-types-'))
afterAll(() => rmSync(project, { recursive: true }))
mkdirSync(path.join(project, 'node_modules'))
symlinkSync(ROOT, path.join(project, 'node_modules/procshare'))
symlinkSync(path.join(NODE_MODULES, '@types'), path.join(project, 'node_modules/@types'))
writeFileSync(path.join(project, 'program.ts'), PROGRAM)

const SETTINGS = [
  ['commonjs', 'bundler'],
  ['node16', 'node16'],
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
] as const

const LIB = ['es2023', 'esnext.disposable']

/** What the compiler says. */
function compile(file: string, type: string, options: object): string {
  writeFileSync(path.join(project, 'package.json'), JSON.stringify({ type }))
  const compilerOptions = { target: 'es2022', lib: LIB, strict: true, noEmit: true, types: ['node'], ...options }
  writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }))
  try {
    const tsc = path.join(NODE_MODULES, 'typescript/bin/tsc')
    return execFileSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' })
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

it.each(SETTINGS.flatMap((settings) => (['module', 'commonjs'] as const).map((type) => [...settings, type] as const)))(
  'are read with module %s, moduleResolution %s, in a package of type %s',
  (module, moduleResolution, type) => {
    expect(compile('program.ts', type, { module, moduleResolution })).toBe('')
  },
)

it('the types have Float16Array if the compiler has it', () => {
  writeFileSync(path.join(project, 'half.ts'), HALF_PROGRAM)
  const options = { module: 'nodenext', moduleResolution: 'nodenext' }
  expect(compile('half.ts', 'module', { ...options, lib: [...LIB, 'esnext.float16'] })).toBe('')
  expect(compile('half.ts', 'module', options)).toContain("Cannot find name 'Float16Array'")
})
