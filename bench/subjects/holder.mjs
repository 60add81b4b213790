/** Creates segments or attaches to them, and keeps them: `holder.mjs JSON`, an array of {kind, name, length?}. */
import { SharedArray, SharedMemory, Value } from 'procshare'
import { serve } from './serve.mjs'

const kinds = {
  memory: ({ name, length }) => SharedMemory.open(name, length),
  value: ({ name }) => Value.open(name, 'i'),
  array: ({ name, length }) => SharedArray.open(name, 'd', length),
}
const held = JSON.parse(process.argv[2]).map((wanted) => kinds[wanted.kind](wanted))

await serve(() => {})
for (const object of held) object.close()
