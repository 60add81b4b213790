/** Adding one to a value under its lock. */
import { Subject } from '../subject.mjs'

export const update = {
  name: 'update',
  title: 'value.update(n => n + 1)',
  unit: 'ns',
  async rows({ compiler, python, unique }) {
    const c = 'C: lock, ++counter, unlock'
    const baseline = python && `Python ${python.version}: with v.get_lock(): v.value += 1`
    const against = python ? { against: baseline, goal: 'update' } : { against: c }
    const exact = true
    return [
      { system: c, process: compiler.start('robust_mutex', unique(), 'count'), exact },
      python && { system: baseline, process: python.start('update'), exact },
      { system: 'procshare: value.update(n => n + 1)', process: Subject.script('value', 'update'), exact, ...against },
      {
        system: 'procshare: the same on 6 values of 3 types in turn',
        process: Subject.script('value', 'mixed'),
        exact,
        ...against,
      },
      { system: 'procshare: value.add(1)', process: Subject.script('value', 'add'), exact, ...against },
      { system: 'procshare: rawValue.add(1), no lock', process: Subject.script('value', 'rawAdd'), exact, ...against },
    ]
  },
}
