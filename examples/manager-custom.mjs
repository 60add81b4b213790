// Objects of your own class in a server: the customized manager of the documentation of Python's multiprocessing.
//
//   node examples/manager-custom.mjs

import { isMainThread } from 'node:worker_threads'
import { Manager } from 'procshare'

export class Maths {
  add(x, y) {
    return x + y
  }

  multiply(x, y) {
    return x * y
  }
}

// The server imports this file as well. Code for this process only is inside this condition.
if (isMainThread && process.argv[1] === import.meta.filename) {
  const manager = await Manager.start()
  await manager.register('Maths', import.meta.url, { export: 'Maths' })
  const maths = await manager.create('Maths')
  console.log(await maths.add(4, 3)) // 7
  console.log(await maths.multiply(7, 8)) // 56
  await manager.shutdown()
}
