// Version 1.

import { SharedState, Value } from 'procshare'

const shop = SharedState.open('shop', { hits: Value('d') })

setInterval(() => console.log(`v1: ${shop.hits.add(1) + 1} hits`), 100)
