// What the server and the command-line tool share. Both import it, so that they cannot disagree.

import { SharedState, Struct, Value } from 'procshare'

export const SEARCHES_PER_DAY = 3

const Quota = Struct({ day: 'd', used: 'd' })

export const state = SharedState.open('search-mcp', { quota: Value(Quota) }, { persist: true })

/** Counts one search against today's quota, for all servers of this user, and gives what is left; -1 when nothing was left. */
export function takeSearch() {
  const today = Math.floor(Date.now() / 86_400_000)
  const quota = state.quota.update((record) => {
    if (record.day !== today) {
      record.day = today
      record.used = 0
    }
    record.used = Math.min(record.used + 1, SEARCHES_PER_DAY + 1)
  })
  return SEARCHES_PER_DAY - quota.used
}
