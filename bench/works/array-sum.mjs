/** The sum of ten million numbers by an indexed loop. */
import { Subject } from '../subject.mjs'

const PRIVATE = 'private Float64Array'

export const arraySum = {
  name: 'array-sum',
  title: 'Sum of 10 M float64',
  unit: 'ms',
  rounds: 51,
  async rows() {
    const operations = 1 // sum a turn
    return [
      { system: PRIVATE, process: Subject.script('array-sum', 'private'), operations },
      {
        system: 'procshare: SharedArray',
        process: Subject.script('array-sum', 'shared'),
        operations,
        against: PRIVATE,
        goal: 'array-sum',
      },
    ]
  },
}
