/** Shared arrays of structs: live records by index, and whole-array operations under the lock. */

import { type InspectOptions, inspect } from 'node:util'
import { defineProperty } from '../define-property.ts'
import type { Handle } from '../memory/handle.ts'
import { registerShareable } from '../memory/shareable.ts'
import { toList } from '../scalars/elements.ts'
import type { AnyLock } from '../sync/rlock.ts'
import { rangeError } from '../validate.ts'
import { assertRoom } from './array-members.ts'
import { type GuardedSegment, viewOf } from './guarded-segment.ts'
import type { Layout } from './struct-layout.ts'

const INDEX = /^(?:0|[1-9]\d*)$/
/** An array of up to this length keeps the records that it has made. A thousand records take 64 KiB of memory. */
const MAX_KEPT = 2 ** 16

function isIndex(key: string | symbol): key is string {
  return typeof key === 'string' && INDEX.test(key)
}

/** Handles `array[3]`. It is at the end of the prototype chain, so that only indices pay for the Proxy. */
class Indexed {}
Object.setPrototypeOf(
  Indexed.prototype,
  new Proxy(Object.prototype, {
    get(target, key, receiver: StructArray) {
      return isIndex(key) ? receiver.at(Number(key)) : Reflect.get(target, key, receiver)
    },
    set(target, key, value, receiver: StructArray) {
      if (!isIndex(key)) return Reflect.set(target, key, value, receiver)
      receiver.set(Number(key), value)
      return true
    },
  }),
)

/** The methods of arrays that struct arrays have. Each works on a private array of the live records. */
const ARRAY_METHODS = [
  'every',
  'filter',
  'find',
  'findIndex',
  'forEach',
  'map',
  'reduce',
  'reduceRight',
  'slice',
  'some',
] as const satisfies readonly (keyof unknown[])[]

export class StructArray extends Indexed {
  readonly #guarded: GuardedSegment
  readonly #layout: Layout
  readonly #bytes: DataView
  readonly #records: (object | undefined)[] = []

  constructor(guarded: GuardedSegment) {
    super()
    this.#guarded = guarded
    this.#layout = guarded.type as Layout
    this.#bytes = viewOf(
      guarded,
      () => new DataView(guarded.buffer, guarded.byteOffset, guarded.length * this.#layout.byteLength),
    )
    registerShareable(this)
  }

  get length(): number {
    return this.#guarded.length
  }

  get memberCount(): number {
    return this.#guarded.memberCount
  }

  get name(): string {
    return this.#guarded.name
  }

  get type(): Layout {
    return this.#layout
  }

  get lock(): AnyLock {
    return this.#guarded.lock
  }

  get handle(): Handle {
    return this.#guarded.handleOf(this)
  }

  /** The live record at `index`, counted from the end if negative; undefined if there is no such record. */
  at(index: number): object | undefined {
    const i = index < 0 ? this.length + index : index
    return Number.isInteger(i) && i >= 0 && i < this.length ? this.#recordAt(i) : undefined
  }

  /** Replaces the record at `index`; all or nothing. */
  set(index: number, value: unknown): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) {
      throw rangeError('index', `an integer from 0 to ${this.length - 1}`, index)
    }
    const scratch = this.#encode([value], 'value')
    this.#guarded.guard(() => this.#write(scratch, index))
  }

  snapshot(): object[] {
    return this.#guarded.guard(() =>
      Array.from({ length: this.length }, (_, i) => this.#layout.snapshot(this.#bytes, this.#place(i))),
    )
  }

  assign(values: unknown, offset = 0): void {
    const list = toList(values, 'values', 'an iterable of records')
    assertRoom(offset, list.length, this.length)
    const scratch = this.#encode(list, 'values')
    this.#guarded.guard(() => this.#write(scratch, offset))
  }

  *keys(): Generator<number, void, undefined> {
    for (let i = 0; i < this.length; i++) yield i
  }

  *values(): Generator<object, void, undefined> {
    for (let i = 0; i < this.length; i++) yield this.#recordAt(i)
  }

  *entries(): Generator<[number, object], void, undefined> {
    for (let i = 0; i < this.length; i++) yield [i, this.#recordAt(i)]
  }

  [Symbol.iterator](): Generator<object, void, undefined> {
    return this.values()
  }

  /** The private array on which the methods of arrays work. */
  static recordsOf(array: StructArray): object[] {
    return Array.from({ length: array.length }, (_, i) => array.#recordAt(i))
  }

  toJSON(): Handle {
    return this.handle
  }

  ref(): this {
    this.#guarded.setKeepsAlive(true)
    return this
  }

  unref(): this {
    this.#guarded.setKeepsAlive(false)
    return this
  }

  close(): void {
    this.#guarded.close()
  }

  unlink(): void {
    this.#guarded.unlink()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [inspect.custom](depth: number, options: InspectOptions): string {
    const firstRecords = () => {
      const records = Array.from({ length: Math.min(this.length, 100) }, (_, i) => this.at(i))
      records.length = this.length // so that inspect() reports how many records it does not show
      return records
    }
    return this.#guarded.inspected(firstRecords, { ...options, depth })
  }

  #recordAt(index: number): object {
    if (this.length > MAX_KEPT) return this.#layout.view(this.#bytes, this.#place(index))
    this.#records[index] ??= this.#layout.view(this.#bytes, this.#place(index))
    return this.#records[index]
  }

  #place(index: number): number {
    return index * this.#layout.byteLength
  }

  #write(records: Uint8Array, index: number): void {
    const { buffer, byteOffset } = this.#bytes
    new Uint8Array(buffer, byteOffset + this.#place(index), records.byteLength).set(records)
  }

  #encode(values: ArrayLike<unknown>, name: string): Uint8Array {
    return encodeRecords(this.#layout, values, name, false)
  }
}

for (const name of ARRAY_METHODS) {
  const method = Array.prototype[name] as (this: object[], ...args: unknown[]) => unknown
  const value = function (this: StructArray, ...args: unknown[]) {
    return method.apply(StructArray.recordsOf(this), args)
  }
  defineProperty(value, 'name', { value: name })
  defineProperty(StructArray.prototype, name, { configurable: true, value, writable: true })
}

/** The bytes of records that were given as objects or arrays, all checked. */
export function encodeRecords(
  layout: Layout,
  values: ArrayLike<unknown>,
  name: string,
  isPartial: boolean,
): Uint8Array {
  const scratch = new DataView(new ArrayBuffer(values.length * layout.byteLength))
  for (let i = 0; i < values.length; i++) {
    layout.write(scratch, i * layout.byteLength, values[i], `${name}[${i}]`, isPartial)
  }
  return new Uint8Array(scratch.buffer)
}
