/**
 * npm run bench [-- --only NAME]… [-- --json]
 *
 * Compares the library with C and Python on this machine, in interleaved rounds, and prints which goals of goals.mjs are
 * met. Compare only numbers of one run, not of two runs or machines. Ends with code 1 if a counter was wrong.
 */
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { Compiler, Python } from './baselines.mjs'
import { goals, isMet, quoted } from './goals.mjs'
import { JsonReport, TableReport, valueIn } from './report.mjs'
import { measure } from './rounds.mjs'
import { Subject } from './subject.mjs'
import { arraySum } from './works/array-sum.mjs'
import { attach } from './works/attach.mjs'
import { contended } from './works/contended.mjs'
import { pendingGrowth, processGrowth, sizeGrowth } from './works/growth.mjs'
import { lock } from './works/lock.mjs'
import { manager } from './works/manager.mjs'
import { pingPong } from './works/ping-pong.mjs'
import { queue } from './works/queue.mjs'
import { update } from './works/update.mjs'

const works = [
  lock,
  update,
  contended,
  arraySum,
  attach,
  pingPong,
  ...queue,
  ...manager,
  ...pendingGrowth,
  ...processGrowth,
  ...sizeGrowth,
]

const { values: options } = parseArgs({
  options: { only: { type: 'string', multiple: true }, json: { type: 'boolean', default: false } },
})
const names = [...new Set(works.map(({ name }) => name))]
const wanted = options.only ?? names
const unknown = wanted.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; the works are ${names.join(', ')}`)
  process.exit(2)
}

const report = options.json ? new JsonReport() : new TableReport()
const compiler = new Compiler()
try {
  const python = await Python.fastest()
  for (const work of works) {
    if (wanted.includes(work.name)) await run(work, { compiler, python })
  }
  report.end()
} finally {
  compiler.dispose()
}

/** Starts the subjects of a work, measures and reports them, and ends them, also after an error. */
async function run(work, { compiler, python }) {
  const holders = []
  const context = {
    compiler,
    python,
    /** A unique name for a segment. */
    unique: () => `procshare-bench-${randomUUID()}`,
    /** Starts a process that creates segments or attaches to them, and keeps them until the end of the work. */
    async keep(segments) {
      const holder = Subject.script('holder', JSON.stringify(segments))
      holders.push(holder)
      await holder.ready()
    },
  }
  let rows = []
  try {
    rows = (await work.rows(context)).filter(Boolean)
    await Promise.all(rows.map((row) => row.process.ready()))
    const results = await measure(
      rows.map((row) => ({ turnMs: work.turnMs, warmUpMs: work.warmUpMs, ...row })),
      work.rounds,
    )
    report.work(work.title)
    rows.forEach((row, index) => {
      reportRow(
        work,
        row,
        results[index],
        rows.findIndex(({ system }) => system === row.against),
      )
    })
  } finally {
    await Promise.all(rows.map((row) => row.process.end()))
    await Promise.all(holders.map((holder) => holder.end()))
  }
}

function reportRow(work, row, result, baseline) {
  const goal = goals[row.goal]
  const ratio = baseline < 0 ? undefined : quoted(goal, work.unit, result.ratioTo(baseline))
  report.row({
    work: work.title,
    system: row.system,
    value: valueIn(work.unit, result.ns),
    unit: work.unit,
    ratio,
    against: row.against,
    goal,
    met: goal && isMet(goal, ratio),
  })
  if (!result.isExact) {
    report.failure(`${work.title}: the counter of "${row.system}" is wrong`)
    process.exitCode = 1
  }
}
