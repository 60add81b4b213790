import { describe, expect, it } from 'vitest'
import { inheritedOptions } from '../../lib/process/node-options.ts'

const INHERITED = [
  ['--import=./hook.mjs'],
  ['--import', './hook.mjs'],
  ['--require', './hook.cjs'],
  ['-r', './hook.cjs'],
  ['--loader', './loader.mjs'],
  ['--conditions', 'development'],
  ['-C', 'development'],
  ['--conditions=development'],
  ['--max-old-space-size=100'],
  ['--max_old_space_size=100'],
  ['--expose-gc'],
  ['--enable-source-maps'],
  ['--env-file', '.env'],
  ['--title', ''],
]

const NOT_INHERITED = [
  ['--input-type=module'],
  ['--input-type', 'module'],
  ['--input_type=module'],
  ['--eval', '1 + 1'],
  ['--eval=1 + 1'],
  ['-e', '1 + 1'],
  ['--print', '1 + 1'],
  ['--print'],
  ['-p', '1 + 1'],
  ['-pe', '1 + 1'],
  ['--check'],
  ['-c'],
  ['--interactive'],
  ['-i'],
  ['--run', 'build'],
  ['--run=build'],
  ['--inspect'],
  ['--inspect=127.0.0.1:0'],
  ['--inspect-brk'],
  ['--inspect-brk=0'],
  ['--inspect-wait'],
  ['--inspect-port', '9230'],
  ['--debug-port=9230'],
  ['--inspect-publish-uid=http'],
  ['--watch'],
  ['--watch-path', './lib'],
  ['--watch-path=./lib'],
  ['--watch-preserve-output'],
  ['--test'],
  ['--test-only'],
  ['--test-reporter', 'spec'],
  ['--test-name-pattern=one'],
  ['--test-isolation=none'],
]

describe('of the options of node, a process that is started', () => {
  it.each(INHERITED.map((options) => [options]))('inherits %j, wherever it stands', (options) => {
    expect(inheritedOptions(options)).toEqual(options)
    expect(inheritedOptions(['--watch-path', './lib', ...options, '--eval', 'x'])).toEqual(options)
  })

  it.each(NOT_INHERITED.map((options) => [options]))('does not inherit %j, but what stands around it', (options) => {
    expect(inheritedOptions(options)).toEqual([])
    const others = ['--require', './hook.cjs', '--expose-gc']
    expect(inheritedOptions(['--require', './hook.cjs', ...options, '--expose-gc'])).toEqual(others)
  })
})
