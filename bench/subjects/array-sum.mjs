/** Sums ten million numbers of a private or of a shared array: `array-sum.mjs private|shared`. One operation is one sum. */
import { SharedArray } from 'procshare'
import { serve } from './serve.mjs'

const LENGTH = 10_000_000
const CYCLE = 1_000
const EXPECTED = (LENGTH / CYCLE) * ((CYCLE * (CYCLE - 1)) / 2)

const array = process.argv[2] === 'shared' ? new SharedArray('d', LENGTH) : new Float64Array(LENGTH)
for (let i = 0; i < array.length; i++) array[i] = i % CYCLE

function sum() {
  let total = 0
  for (let i = 0; i < array.length; i++) total += array[i]
  return total
}

await serve((operations) => {
  for (let i = 0; i < operations; i++) {
    if (sum() !== EXPECTED) throw new Error('The sum is wrong')
  }
})
