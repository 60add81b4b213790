// Stands for `vitest` where that does not run: its own runner and its own matchers, without Vite and without a process pool.
// Only what the tests use.

import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  customMatchers,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, onTestFinished, test } from '@vitest/runner'
export { expectTypeOf } from 'expect-type'

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

export const expect = Object.assign(
  (value, message) => chai.expect(value, message),
  chai.expect,
  globalThis[ASYMMETRIC_MATCHERS_OBJECT],
  { unreachable: (message = 'this') => chai.assert.fail(`expected ${message} not to be reached`) },
)
setState({ assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null }, expect)
Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, configurable: true })
chai.expect.extend(expect, customMatchers)

// Timers that stand still are Node's own; where there are none, the tests that ask for them fail.
const { mock } = await import('node:test').catch(() => ({}))

export const vi = {
  useFakeTimers: ({ toFake }) => mock.timers.enable({ apis: toFake.filter((name) => name.startsWith('set')) }),
  useRealTimers: () => mock.timers.reset(),
  async advanceTimersByTimeAsync(ms) {
    mock.timers.tick(ms)
    await new Promise(setImmediate)
  },
}
