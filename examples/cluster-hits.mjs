// An HTTP server with several cluster workers, which share one count of requests and one limit.
//
//   node examples/cluster-hits.mjs

import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import { SharedArray, Value } from 'procshare'

const WORKERS = 4
const REQUESTS = 200
const LIMIT = 150

if (cluster.isPrimary) await primary()
else worker()

async function primary() {
  const hits = new Value('d', 0)
  const perWorker = new SharedArray('i', WORKERS)
  const workers = Array.from({ length: WORKERS }, (_, index) =>
    cluster.fork({ INDEX: index, HITS: JSON.stringify(hits), PER_WORKER: JSON.stringify(perWorker) }),
  )
  const addresses = await Promise.all(workers.map(async (item) => (await once(item, 'listening'))[0]))

  const statuses = await Promise.all(Array.from({ length: REQUESTS }, () => request(addresses[0].port)))
  const served = statuses.filter((status) => status === 200).length
  console.log(`${REQUESTS} requests: ${served} served, ${REQUESTS - served} refused`)
  console.log(`counted ${hits.value}, by worker [${perWorker.join(', ')}]`)
  process.exitCode = served === LIMIT && hits.value === REQUESTS ? 0 : 1
  cluster.disconnect()
}

function worker() {
  const hits = Value.attach(JSON.parse(process.env.HITS), 'i')
  const perWorker = SharedArray.attach(JSON.parse(process.env.PER_WORKER), 'i')
  const index = Number(process.env.INDEX)
  createServer((_request, response) => {
    Atomics.add(perWorker, index, 1)
    response.statusCode = hits.add(1) < LIMIT ? 200 : 429 // add() returns the previous count, so each request gets its own number
    response.end()
  }).listen(0, '127.0.0.1')
}

function request(port) {
  return new Promise((resolve, reject) => {
    const sent = get({ host: '127.0.0.1', port, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
    })
    sent.on('error', reject)
  })
}
