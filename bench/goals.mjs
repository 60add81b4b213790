/**
 * All goals. `atMost`: an operation takes at most that many times as long as the baseline. `atLeast`: the baseline takes at least that
 * many times as long. Works name their goal; a row without a goal is for information.
 */
export const goals = {
  lock: { atMost: 2.5, of: 'C’s robust mutex' },
  update: { atLeast: 15, of: 'the fastest Python’s' },
  contended: { atLeast: 0.5, of: 'C’s robust mutex' },
  'array-sum': { atMost: 1.05, of: 'a private array' },
  attach: { atMost: 3, of: 'C’s open + map' },
  'queue-small': { atLeast: 20, of: 'process.send' },
  'queue-objects': { atLeast: 10, of: 'Python’s mp.Queue' },
  'queue-large': { atLeast: 1.2, of: 'a MessagePort' },
  'ping-pong-sync': { atMost: 3, of: 'C’s spin, then futex' },
  'ping-pong': { atMost: 0.5, of: 'process.send' },
  'manager-sync': { atLeast: 5, of: 'Python’s manager' },
  'manager-async': { atLeast: 1.3, of: 'Python’s manager' },
  'manager-pipelined': { atLeast: 10, of: 'Python’s manager' },
  flat: { atMost: 1.5, of: 'the smallest' },
}

export function isMet({ atMost = Infinity, atLeast = 0 }, ratio) {
  return ratio <= atMost && ratio >= atLeast
}

/** How a ratio of times is printed: inverted where more is better. */
export function quoted(goal, unit, timeRatio) {
  return goal?.atLeast !== undefined || unit === 'M/s' ? 1 / timeRatio : timeRatio
}

export function describeGoal({ atMost, atLeast }) {
  return atMost === undefined ? `≥ ${atLeast} ×` : `≤ ${atMost} ×`
}
