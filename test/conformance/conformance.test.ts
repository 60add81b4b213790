/** Every case of the behaviour tables with every driver; what a driver cannot do is listed with the reason. */
import { afterAll, describe, it } from 'vitest'
import { DEADLINE_MS, within } from '../helpers/fixture.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { catalogue } from './catalogue.ts'
import { type Case, type Driver, Pool, play } from './driver.ts'
import { drivers } from './drivers.ts'

function reasonAgainst({ needs = [] }: Case, { lacks }: Driver): string | undefined {
  return needs.map((capability) => lacks[capability]).find((reason) => reason !== undefined)
}

expectNoLeftovers()

describe.each(drivers.map((driver) => [driver.name, driver] as const))('%s', (name, driver) => {
  const pool = new Pool(driver)
  afterAll(() => pool[Symbol.asyncDispose]())

  for (const [subject, cases] of catalogue) {
    describe(subject, () => {
      for (const one of cases) {
        const reason = reasonAgainst(one, driver)
        if (reason === undefined) {
          it(one.name, () => within(play(pool, one), DEADLINE_MS, () => `${name}: ${one.name}`))
        } else {
          it.skip(`${one.name} [${reason}]`)
        }
      }
    })
  }

  // Reporters do not name what is skipped unless they are asked to.
  const leftOut = catalogue.flatMap(([subject, cases]) =>
    cases.flatMap((one) => {
      const reason = reasonAgainst(one, driver)
      return reason === undefined ? [] : [`  ${subject} ${one.name}: ${reason}`]
    }),
  )
  afterAll(() => {
    if (leftOut.length > 0) console.info([`Not with ${name}:`, ...leftOut].join('\n'))
  })
})
