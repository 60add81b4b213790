/** The output: a table, or one JSON object per line. */
import pc from 'picocolors'
import { describeGoal } from './goals.mjs'

const UNITS = {
  ns: (ns) => ns,
  µs: (ns) => ns / 1e3,
  ms: (ns) => ns / 1e6,
  'M/s': (ns) => 1e3 / ns,
}

/** Three significant digits, the precision of the measurement. */
function toText(number) {
  if (number >= 100) return number.toFixed(0)
  return number.toFixed(number >= 10 ? 1 : 2)
}

export function valueIn(unit, ns) {
  return UNITS[unit](ns)
}

export class JsonReport {
  work() {}

  row({ work, system, value, unit, ratio, against, goal, met }) {
    const round = (number) => (number === undefined ? null : Number(number.toPrecision(4)))
    const verdict = goal === undefined ? {} : { goal: describeGoal(goal), met }
    const row = { work, system, value: round(value), unit, ratio: round(ratio), against: against ?? null, ...verdict }
    console.log(JSON.stringify(row))
  }

  failure(message) {
    console.error(message)
  }

  end() {}
}

export class TableReport {
  #goals = 0
  #met = 0

  work(title) {
    console.log(`\n${pc.bold(title)}`)
  }

  row({ system, value, unit, ratio, against, goal, met }) {
    const amount = `${toText(value)} ${unit}`.padStart(12)
    let comparison = ''
    if (ratio !== undefined) {
      const figure = `${toText(ratio)} ×`
      comparison = goal === undefined ? pc.dim(`${figure} of ${against}`) : this.#verdict(figure, goal, met)
    }
    console.log(`  ${system.padEnd(58)}${amount}   ${comparison}`)
  }

  failure(message) {
    console.log(pc.red(message))
  }

  end() {
    if (this.#goals > 0) console.log(`\n${this.#met} of ${this.#goals} goals met`)
  }

  #verdict(figure, goal, met) {
    this.#goals++
    if (met) this.#met++
    const sign = met ? pc.green('met') : pc.yellow('not met')
    return `${figure.padEnd(8)} ${sign} ${pc.dim(`(${describeGoal(goal)} ${goal.of})`)}`
  }
}
