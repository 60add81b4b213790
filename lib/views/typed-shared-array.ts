/**
 * Shared arrays of scalars. For each element type, a class extends the typed array of that type. So indexing, iteration,
 * `Atomics` and all methods are those of the engine, at the same speed.
 */

import { type InspectOptions, inspect } from 'node:util'
import { defineProperty } from '../define-property.ts'
import type { Handle } from '../memory/handle.ts'
import { registerShareable } from '../memory/shareable.ts'
import { encodeAll } from '../scalars/elements.ts'
import type { ScalarType } from '../scalars/scalar.ts'
import { type Text, toBytes } from '../scalars/text.ts'
import type { AnyLock } from '../sync/rlock.ts'
import { rangeError } from '../validate.ts'
import { assertRoom } from './array-members.ts'
import { type GuardedSegment, viewOf } from './guarded-segment.ts'

const arrays = new WeakMap<object, GuardedSegment>()

/** Whether `object` is a shared array of scalars. */
export function isTypedSharedArray(object: unknown): boolean {
  return typeof object === 'object' && object !== null && arrays.has(object)
}

type SharedArrayClass = new (guarded: GuardedSegment) => object

const classes = new Map<string, SharedArrayClass>()

/** A shared array over the elements of `guarded`, which must be scalars. */
export function typedSharedArray(guarded: GuardedSegment): object {
  const type = guarded.type as ScalarType
  let SharedClass = classes.get(type.code)
  if (SharedClass === undefined) {
    SharedClass = defineClass(type)
    classes.set(type.code, SharedClass)
  }
  const array = viewOf(guarded, () => new SharedClass(guarded))
  arrays.set(array, guarded)
  registerShareable(array)
  return array
}

function defineClass(type: ScalarType): SharedArrayClass {
  const Base = type.ArrayType as unknown as typeof Int32Array
  const SharedClass = defineNumbers(type, Base)
  const Class = type.text === undefined ? SharedClass : defineText(type, type.text, SharedClass)
  defineProperty(Class, 'name', { value: `Shared${Base.name}` })
  return Class as unknown as SharedArrayClass
}

function defineNumbers(type: ScalarType, Base: typeof Int32Array) {
  return class SharedTypedArray extends Base {
    readonly #guarded: GuardedSegment

    /** The class for methods that make a new array: the array is private. */
    static get [Symbol.species](): typeof Int32Array {
      return Base
    }

    constructor(guarded: GuardedSegment) {
      super(guarded.buffer as ArrayBuffer, guarded.byteOffset, guarded.length)
      this.#guarded = guarded
    }

    get memberCount(): number {
      return this.#guarded.memberCount
    }

    get name(): string {
      return this.#guarded.name
    }

    get type(): string {
      return type.code
    }

    get lock(): AnyLock {
      return this.#guarded.lock
    }

    get handle(): Handle {
      return this.#guarded.handleOf(this)
    }

    snapshot(): Int32Array {
      return this.#guarded.guard(() => super.slice())
    }

    assign(values: unknown, offset = 0): void {
      const elements = encodeAll(type, values, 'values')
      assertRoom(offset, elements.length, this.length)
      this.#guarded.guard(() => super.set(elements as unknown as Int32Array, offset))
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

    [inspect.custom](_depth: number, options: InspectOptions): string {
      return this.#guarded.inspected(() => new Base(this.buffer, this.byteOffset, this.length), options)
    }
  }
}

/** Adds the members of text for arrays of characters. */
function defineText(type: ScalarType, text: Text, Base: ReturnType<typeof defineNumbers>) {
  return class SharedText extends Base {
    /** The text up to the first NUL, under the lock: bytes of a `char` array, a string of a `wchar` array. */
    get value(): Buffer | string {
      return text.read(this.snapshot())
    }

    /** Writes the text, and a NUL after it if there is room. The elements after it stay. */
    set value(value: unknown) {
      const elements = encodeAll(type, text.elementsOf(value, 'value'), 'value')
      if (elements.length > this.length) throw rangeError('value', `at most ${this.length} characters long`, value)
      const ended = new (type.ArrayType as unknown as typeof Uint8Array)(Math.min(elements.length + 1, this.length))
      ended.set(elements as unknown as Uint8Array)
      this.assign(ended)
    }

    /** All bytes of a `char` array, under the lock. */
    get raw(): Buffer {
      return Buffer.from(this.snapshot().buffer)
    }

    /** Writes bytes at the start. The bytes after them stay. */
    set raw(value: unknown) {
      const bytes = toBytes(value, 'raw')
      const byteLength = this.length * type.byteLength
      if (bytes.length > byteLength) throw rangeError('raw', `at most ${byteLength} bytes long`, value)
      arrays.get(this)!.guard(() => new Uint8Array(this.buffer, this.byteOffset, bytes.length).set(bytes))
    }
  }
}
