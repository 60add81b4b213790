/**
 * Compares two builds of the package, round by round in turn: for the question whether a change makes something slower.
 *
 *   node bench/compare.mjs A B [WORK…]        folders with `dist` and `build`, such as two worktrees; by default all works
 *
 * Prints the processor time of one operation in each, and B / A as the median of all rounds and as the ratio of the lower quartiles, which
 * other programs on the machine disturb less. Differences below 3 % mean nothing; `compare.mjs A A` shows what the machine is good for.
 */
import { fork } from 'node:child_process'
import path from 'node:path'
import { WORKS } from './subjects/compare.mjs'

const PROCESSES = 5
const ROUNDS = 10

const [a, b, ...works] = process.argv.slice(2)

const next = (child) => new Promise((resolve) => child.once('message', resolve))

function ask(child, message) {
  const answer = next(child)
  child.send(message)
  return answer
}

const quantile = (list, q) => list.toSorted((x, y) => x - y)[Math.floor(list.length * q)]

async function compare(work) {
  const times = [[], []]
  for (let i = 0; i < PROCESSES; i++) {
    const children = [a, b].map((folder) =>
      fork(new URL('./subjects/compare.mjs', import.meta.url), [path.resolve(folder), work], { execArgv: [] }),
    )
    const operations = Math.min(...(await Promise.all(children.map(next))))
    for (let round = 0; round < ROUNDS; round++) {
      for (const k of round % 2 === 0 ? [0, 1] : [1, 0]) times[k].push(await ask(children[k], operations))
    }
    for (const child of children) child.kill()
  }
  const ratios = times[1].map((time, i) => time / times[0][i])
  const [first, second] = times.map((list) => quantile(list, 0.5).toFixed(0))
  const low = quantile(times[1], 0.25) / quantile(times[0], 0.25)
  console.log(`${work.padEnd(10)} ${first} ns, ${second} ns: ${quantile(ratios, 0.5).toFixed(2)} (${low.toFixed(2)})`)
}

for (const work of works.length > 0 ? works : Object.keys(WORKS)) await compare(work)
