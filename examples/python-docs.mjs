// The example of shared memory in the documentation of Python's multiprocessing, in JavaScript.
//
//   node examples/python-docs.mjs

import { isMainProcess, Process, SharedArray, Value } from 'procshare'

export function change(num, arr) {
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: the number of Python's example
  num.value = 3.1415927
  for (let i = 0; i < arr.length; i++) arr[i] = -arr[i]
}

if (isMainProcess) {
  const num = new Value('d', 0)
  const arr = new SharedArray('i', Array(10).keys())

  const child = new Process(import.meta.url, { export: 'change', args: [num, arr] }).start()
  await child.join()

  console.log(num.value)
  console.log(`[${arr.join(', ')}]`)
}
