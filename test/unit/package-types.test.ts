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

it.each(SETTINGS.flatMap((settings) => (['module', 'commonjs'] as const).map((type) => [...settings, type] as const)))(
  'are read with module %s, moduleResolution %s, in a package of type %s',
  (module, moduleResolution, type) => {
    const compilerOptions = { module, moduleResolution, target: 'es2022', lib: ['es2023', 'esnext.disposable'] }
    writeFileSync(path.join(project, 'package.json'), JSON.stringify({ type }))
    writeFileSync(
      path.join(project, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: { ...compilerOptions, strict: true, noEmit: true, types: ['node'] },
        files: ['program.ts'],
      }),
    )
    let output = ''
    try {
      execFileSync(process.execPath, [path.join(NODE_MODULES, 'typescript/bin/tsc'), '-p', project], {
        encoding: 'utf8',
      })
    } catch (error) {
      output = (error as { stdout: string }).stdout
    }
    expect(output).toBe('')
  },
)
