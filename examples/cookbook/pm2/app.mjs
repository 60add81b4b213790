// An application under pm2: all instances count together, also across reloads and restarts.

import { createServer } from 'node:http'
import { Value } from 'procshare'

const hits = Value.open('shop-hits', 'd', 0, { persist: true })

const server = createServer((_request, response) => response.end(`hit ${hits.add(1) + 1}\n`))
server.listen(process.env.PORT ?? 8080, () => process.send?.('ready'))

process.once('SIGINT', () => {
  server.close(() => process.exit()) // pending requests are answered first
})
