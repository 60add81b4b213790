// A tree of processes created by child_process.fork. Objects travel as JSON handles, in messages, environment variables
// and arguments, also to grandchildren.
//
//   node examples/fork-handles.mjs

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { attach, SharedArray, Value } from 'procshare'

const self = fileURLToPath(import.meta.url)
const ADDITIONS = 10_000

switch (process.argv[2]) {
  case undefined:
    await root()
    break
  case 'child':
    await child()
    break
  case 'grandchild':
    grandchild(JSON.parse(process.argv[3]))
}

async function root() {
  const counter = new Value('d', 0)
  const visits = new SharedArray('i', 2)

  const children = [0, 1].map((index) => {
    // An environment variable is text, and JSON contains a shared object as its handle.
    const forked = fork(self, ['child'], { env: { ...process.env, VISITS: JSON.stringify(visits) } })
    forked.send({ index, counter }) // and so does a message
    return forked
  })
  await Promise.all(children.map((forked) => once(forked, 'exit')))

  console.log(`counter ${counter.value} of ${2 * 2 * ADDITIONS}`)
  console.log(`visits [${visits.join(', ')}]`)
  process.exitCode = counter.value === 2 * 2 * ADDITIONS && visits.every((count) => count === 2) ? 0 : 1
}

async function child() {
  const [message] = await once(process, 'message')
  const counter = Value.attach(message.counter, 'i')
  const visits = attach(JSON.parse(process.env.VISITS)) // any kind of object
  const grandchildren = [0, 1].map(() => fork(self, ['grandchild', JSON.stringify({ counter, visits, ...message })]))
  // A handle does not keep a segment: keep the objects until the other processes have attached.
  await Promise.all(grandchildren.map((forked) => once(forked, 'exit')))
  process.disconnect()
}

function grandchild({ index, ...handles }) {
  const counter = Value.attach(handles.counter, 'i')
  const visits = SharedArray.attach(handles.visits, 'i')
  for (let i = 0; i < ADDITIONS; i++) counter.update((n) => n + 1)
  Atomics.add(visits, index, 1)
}
