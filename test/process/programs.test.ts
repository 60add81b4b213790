import { expect, it } from 'vitest'
import { runProgram } from '../helpers/fixture.ts'

const programs: [string, string, string][] = [
  ["the example of Python's documentation", 'python-example', '3.1415927\n[0, -1, -2, -3, -4, -5, -6, -7, -8, -9]\n'],
  ['a tree of forked processes that pass a handle on', 'fork-tree', '7 processes\n'],
  ['a cluster that counts its requests', 'cluster-counter', '60 requests, 3 workers\n60 in all\n'],
]

it.each(programs)('%s prints its expected output', async (_what, name, expected) => {
  await using program = runProgram(name)
  expect({ exit: await program.ended(), output: await program.output(), errors: program.stderr }).toEqual({
    exit: { code: 0, signal: null },
    output: expected,
    errors: '',
  })
})
