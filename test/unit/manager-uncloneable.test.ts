/** Structured clone makes no copy of a proxy of a managed object. */
import { serialize } from 'node:v8'
import { MessageChannel } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { managerOfThisFile } from '../helpers/manager.ts'

const file = managerOfThisFile()

describe('a proxy of a managed object', () => {
  it('cannot be copied by structured clone', async () => {
    const { manager } = file
    const { port1 } = new MessageChannel()
    for (const proxy of [await manager.dict(), await manager.Lock(), await manager.Namespace()]) {
      const ways = [structuredClone, (value: unknown) => port1.postMessage(value), serialize]
      for (const copy of ways) expect(() => copy({ proxy })).toThrow(/cannot be copied: send its handle instead/)
      expect(structuredClone(proxy.handle)).toEqual(proxy.handle)
      proxy.close()
    }
    port1.close()
  })

  it('for a namespace has the keys of its values only', () => {
    const namespace = file.manager.sync.Namespace({ a: 1 })
    expect(Object.keys(namespace)).toEqual(['a'])
    expect({ ...namespace }).toEqual({ a: 1 })
    expect(() => structuredClone(namespace)).toThrow(expect.objectContaining({ name: 'DataCloneError' }))
    namespace.close()
  })
})
