/** A manager for the tests of one file, whose server is a process of its own, so that the blocking form can be used as well. */
import { Manager } from 'procshare'
import { afterAll, beforeAll } from 'vitest'

export function managerOfThisFile(): { readonly manager: Manager } {
  let manager: Manager | undefined
  beforeAll(async () => {
    manager = await Manager.start()
  })
  afterAll(() => manager?.shutdown())
  return {
    get manager() {
      return manager!
    },
  }
}
