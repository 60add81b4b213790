/**
 * Sends items from producers to consumers and waits until all have arrived: `queue.mjs SYSTEM ITEM [PAIRS [BYTES [ATTACHED]]]`.
 *
 * procshare  PAIRS producers and PAIRS consumers, processes that use the Sync forms of one queue
 * send       this process sends to a child by process.send()
 * port       this thread sends to a worker through a MessagePort
 * pingpong   this process and a child, one item back and forth, in the async forms; send-pingpong the same by process.send()
 */
import { fork } from 'node:child_process'
import { MessageChannel, Worker } from 'node:worker_threads'
import { Queue } from 'procshare'
import { items } from './queue-items.mjs'
import { serve } from './serve.mjs'

const [system, itemName, pairs = 1, byteLength = 2 ** 20, attached = 0] = process.argv
  .slice(2)
  .map((text, i) => (i < 2 ? text : Number(text)))
const item = items[itemName]
const PEER = new URL('./queue-peer.mjs', import.meta.url)

const peers = []
process.once('exit', () => peers.forEach((peer) => void peer.kill('SIGKILL')))

function startPeer(...args) {
  const peer = fork(PEER, [system, itemName, ...args], { serialization: 'advanced', execArgv: [] })
  peers.push(peer)
  return peer
}

const next = (emitter) => new Promise((resolve) => emitter.once('message', resolve))

async function throughQueue() {
  const queue = new Queue({ byteLength })
  const acks = new Queue()
  const teams = [...Array(2 * pairs + attached).keys()].map((i) => {
    const orders = new Queue()
    const peer = startPeer(i < 2 * pairs ? ['get', 'put'][i % 2] : 'hold', JSON.stringify({ queue, acks, orders }))
    return { orders, ready: next(peer) }
  })
  for (const { ready } of teams) await ready
  return (operations) => {
    for (const { orders } of teams.slice(0, 2 * pairs)) orders.putSync(operations / pairs)
    for (let i = 0; i < 2 * pairs; i++) acks.getSync()
  }
}

async function bySend() {
  const peer = startPeer()
  await next(peer)
  return async (operations) => {
    const done = next(peer)
    peer.send(operations)
    for (let i = 0; i < operations; i++) {
      // At the rate of the channel, without filling memory.
      if (!peer.send(item)) await new Promise(setImmediate)
    }
    await done
  }
}

async function byPort() {
  const worker = new Worker(PEER, { argv: [system, itemName] })
  const { port1, port2 } = new MessageChannel()
  worker.postMessage(port2, [port2])
  await next(worker)
  worker.unref()
  return async (operations) => {
    port1.ref()
    const done = next(port1)
    port1.postMessage(operations)
    for (let i = 0; i < operations; i++) port1.postMessage(item)
    await done
    port1.unref()
  }
}

async function pingpong() {
  const there = new Queue()
  const back = new Queue()
  await next(startPeer('echo', JSON.stringify({ there, back })))
  return async (operations) => {
    for (let i = 0; i < operations; i++) {
      await there.put(item)
      await back.get()
    }
  }
}

async function sendPingpong() {
  const peer = startPeer()
  await next(peer)
  return async (operations) => {
    for (let i = 0; i < operations; i++) {
      const answer = next(peer)
      peer.send(item)
      await answer
    }
  }
}

const systems = { procshare: throughQueue, send: bySend, port: byPort, pingpong, 'send-pingpong': sendPingpong }
await serve(await systems[system]())
process.exit()
