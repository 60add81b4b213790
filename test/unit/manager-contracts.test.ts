// Contracts of managed types: what one side misses or misspells does not compile. `npm run typecheck` checks the `@ts-expect-error` lines.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { BlockingProxy } from '../../lib/manager/client/blocking.ts'
import { ManagedProxy } from '../../lib/manager/client/proxy.ts'
import { proxyType } from '../../lib/manager/client/proxy-type.ts'
import { contract, type OperationsOf, type operations } from '../../lib/manager/contract/contract.ts'
import type { Form, Result } from '../../lib/manager/contract/form.ts'
import { managedType } from '../../lib/manager/server/managed-type.ts'
import * as OBJECT_TYPES from '../../lib/manager/types/objects.ts'
import * as PROXY_TYPES from '../../lib/manager/types/proxies.ts'

interface SwitchContract<F extends Form> {
  readonly isOn: Result<F, boolean>
  turn(isOn: boolean): Result<F, boolean>
}
interface SwitchOperations extends OperationsOf<SwitchContract<'server'>> {}
const switchContract = contract<SwitchOperations, [isOn?: boolean]>('switch', [])

class Switch {
  isOn = false

  turn(isOn: boolean): boolean {
    const old = this.isOn
    this.isOn = isOn
    return old
  }
}

const create = () => new Switch()
const show = ({ isOn }: Switch) => `switch(${isOn})`

it('the two lists of managed types have the same names, and each name is that of its contract', () => {
  expect(Object.keys(OBJECT_TYPES).sort()).toEqual(Object.keys(PROXY_TYPES).sort())
  for (const [name, { contract }] of Object.entries(PROXY_TYPES)) expect(contract.type).toBe(name)
  for (const [name, type] of Object.entries(OBJECT_TYPES)) expect(type.name).toBe(name)
})

it('a type whose operations are all transactional has them all in transactions, and one that waits has none', () => {
  const { counter, dict, Lock } = OBJECT_TYPES
  expect([...counter.transactional!].sort()).toEqual(['decrement', 'increment', 'reset', 'value'])
  expect(dict.transactional!.has('get')).toBe(true)
  expect(dict.transactional!.has('iterate')).toBe(false)
  expect(Lock.transactional).toBeUndefined()
})

it('an object that serves its contract compiles', () => {
  const type = managedType(switchContract, create, {
    methods: { isOn: (light) => light.isOn, turn: (light, _request, isOn) => light.turn(isOn === true) },
    show,
  })
  expect([type.name, Object.keys(type.methods)]).toEqual(['switch', ['isOn', 'turn']])
})

it('an object that misses or misspells a method, or returns something else, does not compile', () => {
  managedType(switchContract, create, {
    // @ts-expect-error - `turn` is missing
    methods: { isOn: (light) => light.isOn },
    show,
  })
  managedType(switchContract, create, {
    // @ts-expect-error - `trun`
    methods: { isOn: (light: Switch) => light.isOn, trun: (light: Switch) => light.turn(true) },
    show,
  })
  managedType(switchContract, create, {
    methods: {
      isOn: (light) => light.isOn,
      turn: (light) => light.turn(true),
      // @ts-expect-error - no operation of the contract
      toggle: (light: Switch) => light.turn(!light.isOn),
    },
    show,
  })
  managedType(switchContract, create, {
    // @ts-expect-error - a boolean is expected
    methods: { isOn: () => 'on', turn: (light: Switch) => light.turn(true) },
    show,
  })
  managedType(switchContract, create, {
    methods: {
      isOn: (light) => light.isOn,
      // @ts-expect-error - arguments come unchecked from another process
      turn: (light: Switch, _request, isOn: boolean) => light.turn(isOn),
    },
    show,
  })
})

class SwitchProxy extends ManagedProxy implements SwitchContract<'asynchronous'> {
  declare readonly [operations]: SwitchOperations

  get isOn(): Promise<boolean> {
    return this.request('isOn', [])
  }

  turn(isOn: boolean): Promise<boolean> {
    return this.request('turn', [isOn])
  }

  /** Never called. */
  protected wrong(): void {
    // @ts-expect-error - `trun`
    void this.request('trun', [true])
    // @ts-expect-error - an argument is missing
    void this.request('turn', [])
    // @ts-expect-error - not a boolean
    void this.request('turn', ['on'])
    // @ts-expect-error - not what the operation returns
    void (this.request('isOn', []) satisfies Promise<string>)
  }
}

it('a proxy that misses or misspells a method does not compile', () => {
  // @ts-expect-error - `turn` is missing
  class Missing extends ManagedProxy implements SwitchContract<'asynchronous'> {
    declare readonly [operations]: SwitchOperations

    get isOn(): Promise<boolean> {
      return this.request('isOn', [])
    }
  }
  interface OtherOperations {
    value(): number
  }
  class Other extends ManagedProxy {
    declare readonly [operations]: OtherOperations
  }
  expect(proxyType(switchContract, SwitchProxy).Class).toBe(SwitchProxy)
  expect(Missing.name).toBe('Missing')
  // @ts-expect-error - the class is for another contract
  proxyType(switchContract, Other)
})

it('the blocking form has the methods of the contract, and no others', () => {
  type BlockingSwitch = SwitchContract<'blocking'> & BlockingProxy
  const use = (light: BlockingSwitch) => {
    const old: boolean = light.turn(light.isOn)
    // @ts-expect-error - `trun`
    light.trun(true)
    // @ts-expect-error - not a boolean
    light.turn('on')
    // @ts-expect-error - a boolean, and no promise
    light.isOn.then(() => {})
    return old
  }
  expect(use).toBeTypeOf('function')
})

it('the page about adding a managed type shows the files of the counter word for word, and its lines in the lists', () => {
  const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
  const page = read('docs/internals/adding-a-managed-type.md')
  const blocks = [...page.matchAll(/<!-- file: (\S+) -->\n(`{3,})ts\n([\s\S]*?)^\2$/gm)]
  expect(blocks.map(([, file]) => file)).toEqual(
    ['contract', 'object', 'proxy'].map((name) => `lib/manager/types/counter/${name}.ts`),
  )
  for (const [, file, , code] of blocks) expect(code).toBe(read(file!))
  for (const list of ['objects', 'proxies']) {
    const [line] = /^export .* as counter .*$/m.exec(read(`lib/manager/types/${list}.ts`))!
    expect(page).toContain(line)
  }
})
