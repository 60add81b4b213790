/** Adds one to a value: `value.mjs FORM [NAME]`, an anonymous value or the one of that name. */
import { RawValue, Value } from 'procshare'
import { serve } from './serve.mjs'

const [form, name] = process.argv.slice(2)

function one(Kind = Value) {
  return name === undefined ? new Kind('i') : Kind.open(name, 'i')
}

const forms = {
  update() {
    const value = one()
    const run = (operations) => {
      for (let i = 0; i < operations; i++) value.update((n) => n + 1)
    }
    return [run, () => value.value]
  },
  add() {
    const value = one()
    const run = (operations) => {
      for (let i = 0; i < operations; i++) value.add(1)
    }
    return [run, () => value.value]
  },
  rawAdd() {
    const value = one(RawValue)
    const run = (operations) => {
      for (let i = 0; i < operations; i++) value.add(1)
    }
    return [run, () => value.value]
  },
  /** The work of a program with many values: several types, each updated at several places by different functions. */
  mixed() {
    const ints = [new Value('i'), new Value('i')]
    const doubles = [new Value('d'), new Value('d')]
    const shorts = [new Value('I'), new Value('I')]
    const run = (operations) => {
      for (let i = 0; i < operations; i += 6) {
        ints[0].update((n) => n + 1)
        doubles[0].update((n) => n + 1)
        shorts[0].update((n) => n + 1)
        ints[1].update((n) => n + 1)
        doubles[1].update((n) => n + 1)
        shorts[1].update((n) => n + 1)
      }
    }
    return [run, () => [...ints, ...doubles, ...shorts].reduce((sum, { value }) => sum + value, 0)]
  },
}

await serve(...forms[form]())
