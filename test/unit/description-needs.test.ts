/** What a later minor version of the layout writes into a description, and an older one must not ignore. */
import { SharedMemory, SharedState, Value } from 'procshare'
import { expect, it } from 'vitest'
import { native } from '../../lib/native.ts'
import { shareError } from '../helpers/error-matchers.ts'
import { uniqueName } from '../helpers/segment-names.ts'

it.each([
  ['an object', { kind: 'SharedMemory', needs: ['journal'] }, (name: string) => SharedMemory.attach(name)],
  [
    'a member of a state',
    {
      kind: 'SharedState',
      members: [{ name: 'v', cell: 0, byteOffset: 0, description: { kind: 'Value', needs: ['journal'] } }],
    },
    (name: string) => SharedState.attach(name, { v: Value('i') }),
  ],
])('%s that needs what this version does not know is refused', (_title, description, attach) => {
  const name = uniqueName('needs')
  const segment = native.createSegment(name, 64, 256, JSON.stringify(description), 0o600)
  native.publishSegment(segment)
  expect(() => attach(name)).toThrow(shareError('ERR_LAYOUT', /layout this version cannot read/))
  native.closeSegment(segment)
})
