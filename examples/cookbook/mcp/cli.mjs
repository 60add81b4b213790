// The command-line tool for the same state.
//
//   node cli.mjs              shows how much of the quota is used
//   node cli.mjs reset        gives all of it back

import { SEARCHES_PER_DAY, state } from './state.mjs'

if (process.argv[2] === 'reset') state.quota.value = { day: 0, used: 0 }
const { used } = state.quota.snapshot()
console.log(`${Math.min(used, SEARCHES_PER_DAY)} of ${SEARCHES_PER_DAY} searches used`)
