// Version 2 has one more member. It leaves the schema of version 1 as it is, and puts the new member into a second state.

import { SharedState, Value } from 'procshare'

const shop = SharedState.open('shop', { hits: Value('d') })
const carts = SharedState.open('shop-carts', { open: Value('i') })

setInterval(() => console.log(`v2: ${shop.hits.add(1) + 1} hits, ${carts.open.add(1) + 1} carts`), 100)
