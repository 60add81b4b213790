// Version 3 changes the type of a member. It uses another name, and the first process copies what it needs.

import { SharedState, Value } from 'procshare'

const shop = SharedState.open('shop-v3', { hits: Value('q'), imported: Value('?') })

shop.imported.lock.runSync(() => {
  if (shop.imported.value) return
  shop.hits.value = hitsOfOlderVersions()
  shop.imported.value = true // last: a process that dies before this line leaves the import to the next one
})

function hitsOfOlderVersions() {
  try {
    const older = SharedState.attach('shop', { hits: Value('d') })
    const hits = BigInt(older.hits.value)
    older.close()
    return hits
  } catch (error) {
    if (error.code === 'ENOENT') return 0n // no older version runs
    throw error
  }
}

setInterval(() => console.log(`v3: ${shop.hits.add(1n) + 1n} hits`), 100)
