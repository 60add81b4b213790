// The first example of managers in the documentation of Python's multiprocessing, in JavaScript.
//
//   node examples/manager.mjs

import { isMainProcess, Manager, Process } from 'procshare'

export async function change(dict, list) {
  await dict.set(1, '1')
  await dict.set('2', 2)
  await dict.set(0.25, null)
  await list.reverse()
}

if (isMainProcess) {
  const manager = await Manager.start()
  const dict = await manager.dict()
  const list = await manager.list(Array(10).keys())

  const child = new Process(import.meta.url, { export: 'change', args: [dict, list] }).start()
  await child.join()

  console.log(await dict.toMap()) // Map(3) { 1 => '1', '2' => 2, 0.25 => null }
  console.log((await list.toArray()).join(' ')) // 9 8 7 6 5 4 3 2 1 0
  await manager.shutdown()
}
