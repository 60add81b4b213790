/** Four processes add to one counter. Every system is exact, or the benchmark fails. */
import { Subject, Team } from '../subject.mjs'

const PROCESSES = 4
const C = `C: robust mutex, ++counter, ${PROCESSES} processes`

export const contended = {
  name: 'contended',
  title: `${PROCESSES} processes on one counter`,
  unit: 'M/s',
  // Long turns: with fewer cores than processes, many time slices pass until each process has contended with every other.
  turnMs: 200,
  rounds: 15,
  async rows({ compiler, unique }) {
    const [cName, updateName, addName, rawName] = [unique(), unique(), unique(), unique()]
    const team = (start) => new Team(PROCESSES, start)
    const exact = true
    return [
      { system: C, process: team(() => compiler.start('robust_mutex', cName, 'count')), exact },
      {
        system: 'procshare: value.update(n => n + 1)',
        process: team(() => Subject.script('value', 'update', updateName)),
        exact,
        against: C,
        goal: 'contended',
      },
      {
        system: 'procshare: value.add(1)',
        process: team(() => Subject.script('value', 'add', addName)),
        exact,
        against: C,
        goal: 'contended',
      },
      {
        system: 'procshare: rawValue.add(1), no lock',
        process: team(() => Subject.script('value', 'rawAdd', rawName)),
        exact,
        against: C,
      },
    ]
  },
}
