/** The other side of queue.mjs: a process, or a worker for a MessagePort. */
import { parentPort } from 'node:worker_threads'
import { attach } from 'procshare'
import { items } from './queue-items.mjs'

const [system, itemName, role, handles] = process.argv.slice(2)
const item = items[itemName]

/** Counts messages up to the announced number. */
function counting(answer) {
  let expected = 0
  return (message) => {
    if (expected === 0) expected = message
    else if (--expected === 0) answer()
  }
}

if (system === 'port') {
  parentPort.once('message', (port) => {
    port.on(
      'message',
      counting(() => port.postMessage('done')),
    )
    parentPort.postMessage('ready')
  })
} else if (system === 'send') {
  process.on(
    'message',
    counting(() => process.send('done')),
  )
  process.send('ready')
} else if (system === 'send-pingpong') {
  process.on('message', (message) => process.send(message))
  process.send('ready')
} else {
  const { queue, acks, orders, there, back } = Object.fromEntries(
    Object.entries(JSON.parse(handles)).map(([key, handle]) => [key, attach(handle)]),
  )
  await new Promise((resolve) => process.send('ready', resolve))
  if (role === 'echo') {
    for await (const message of there) await back.put(message)
  }
  if (role === 'hold') setInterval(() => {}, 1_000)
  while (role === 'get' || role === 'put') {
    const count = orders.getSync()
    if (role === 'put') for (let i = 0; i < count; i++) queue.putSync(item)
    else for (let i = 0; i < count; i++) queue.getSync()
    acks.putSync(1)
  }
}
