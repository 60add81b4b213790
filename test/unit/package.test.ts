import { createRequire } from 'node:module'
import * as procshare from 'procshare'
import { expect, it } from 'vitest'

const require = createRequire(import.meta.url)

it('exports its classes and functions by name, and nothing by default', () => {
  const names = [
    'Array',
    'Lock',
    'RLock',
    'RawArray',
    'RawValue',
    'ShareError',
    'SharedArray',
    'SharedMemory',
    'Struct',
    'Value',
  ]
  names.push('attach', 'listSegments', 'removeStaleSegments', 'unlinkSegment')
  for (const name of names) expect([name, typeof Reflect.get(procshare, name)]).toEqual([name, 'function'])
  expect('default' in procshare).toBe(false)
})

it('gives its classes their names', () => {
  for (const name of ['Lock', 'RLock', 'RawArray', 'RawValue', 'ShareError', 'SharedArray', 'SharedMemory', 'Value']) {
    expect((Reflect.get(procshare, name) as { name: string }).name).toBe(name)
  }
})

it('is the same module for CommonJS', () => {
  const required = require('procshare') as typeof procshare
  expect(Object.keys(required).sort()).toEqual(Object.keys(procshare).sort())
  expect(required.Value).toBe(procshare.Value)
})

it('keeps its files to itself', () => {
  for (const path of ['procshare/dist/native.js', 'procshare/lib/index.ts']) {
    expect(() => require(path)).toThrow(expect.objectContaining({ code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' }))
  }
  expect(require('procshare/package.json')).toMatchObject({ name: 'procshare' })
})
