// One counter for all workers: a limit of requests per minute for the whole cluster.
//
//   node counter.mjs

import cluster from 'node:cluster'
import { createServer } from 'node:http'
import { Value } from 'procshare'

const LIMIT = 100
const requests = Value.open('requests-this-minute', 'd', 0)

function startWorkers() {
  for (let i = 0; i < 4; i++) cluster.fork()
  cluster.on('exit', (worker) => {
    if (!worker.exitedAfterDisconnect) cluster.fork()
  })
  cluster.on('listening', (worker, { port }) => console.log(`worker ${worker.process.pid} listens on port ${port}`))
  setInterval(() => requests.store(0), 60_000) // uses the counter, and so keeps it while workers come and go
}

function serve() {
  const server = createServer((_request, response) => {
    const before = requests.add(1) // the count before: no two requests get the same one
    response.statusCode = before < LIMIT ? 200 : 429
    response.end(`request ${before + 1}\n`)
  })
  server.listen(process.env.PORT ?? 8080)
}

if (cluster.isPrimary) startWorkers()
else serve()
