/** C as the reference for layouts: programs compiled on the spot with the system's compiler. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

function works(compiler: string): boolean {
  try {
    execFileSync(compiler, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const compiler = ['cc', 'gcc', 'clang'].find(works)

/** Why programs cannot be compiled here; undefined when they can. */
export const noCompiler: string | undefined =
  compiler === undefined ? 'no C compiler here (cc, gcc and clang were tried)' : undefined

/** Compiles a program, runs it, and gives what it prints. */
export function runC(source: string, flags: string[] = []): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'procshare-c-'))
  try {
    const file = path.join(folder, 'program.c')
    const program = path.join(folder, 'program.exe')
    writeFileSync(file, source)
    execFileSync(compiler!, ['-std=c11', '-w', file, '-o', program, ...flags], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    return execFileSync(program, { encoding: 'utf8', maxBuffer: 64 << 20 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
