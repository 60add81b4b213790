/**
 * Shared arrays of scalars: for each element type a class that extends the typed array of that type, so that indexing,
 * iteration, `Atomics` and all methods are the engine's own, at its speed.
 */
import { type InspectOptions, inspect } from 'node:util'
import type { Handle } from '../memory/handle.ts'
import { registerShareable } from '../memory/handle.ts'
import { booleanOf, type ScalarArray, type ScalarType } from '../memory/typecode.ts'
import type { AnyLock } from '../sync/rlock.ts'
import { assertString, rangeError } from '../validate.ts'
import { assertRoom, toList } from './array-members.ts'
import { readBytes, readText, toBytes } from './char-data.ts'
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
  const isText = type.code === 'c' || type.code === 'u'
  const SharedClass = defineNumbers(type, Base)
  const Class = isText ? defineCharacters(type, SharedClass) : SharedClass
  Object.defineProperty(Class, 'name', { value: `Shared${Base.name}` })
  return Class as unknown as SharedArrayClass
}

function defineNumbers(type: ScalarType, Base: typeof Int32Array) {
  return class SharedTypedArray extends Base {
    readonly #guarded: GuardedSegment

    /** Methods that make a new array make a private one. */
    static get [Symbol.species](): typeof Int32Array {
      return Base
    }

    constructor(guarded: GuardedSegment) {
      super(guarded.buffer as ArrayBuffer, guarded.byteOffset, guarded.length)
      this.#guarded = guarded
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

/** Arrays of `char` and `wchar` are text as well. */
function defineCharacters(type: ScalarType, Base: ReturnType<typeof defineNumbers>) {
  const isBytes = type.code === 'c'
  return class SharedCharacters extends Base {
    /** The text up to the first NUL, under the lock: bytes of a `char` array, a string of a `wchar` array. */
    get value(): Buffer | string {
      const copy = this.snapshot()
      return isBytes ? readBytes(copy) : readText(copy)
    }

    /** Writes the text, and a NUL after it if there is room; what lies beyond stays. */
    set value(value: unknown) {
      if (!isBytes) assertString('value', value)
      const text = isBytes ? toBytes(value, 'value') : encodeAll(type, value, 'value')
      if (text.length > this.length) throw rangeError('value', `at most ${this.length} long`, value)
      const ended = new (type.ArrayType as unknown as typeof Uint8Array)(Math.min(text.length + 1, this.length))
      ended.set(text as unknown as Uint8Array)
      this.assign(ended)
    }

    /** All bytes of a `char` array, under the lock. */
    get raw(): Buffer {
      return Buffer.from(this.snapshot().buffer)
    }

    /** Writes bytes at the start; what lies beyond stays. */
    set raw(value: unknown) {
      const bytes = toBytes(value, 'raw')
      const byteLength = this.length * type.byteLength
      if (bytes.length > byteLength) throw rangeError('raw', `at most ${byteLength} bytes long`, value)
      arrays.get(this)!.guard(() => new Uint8Array(this.buffer, this.byteOffset, bytes.length).set(bytes))
    }
  }
}

/** Elements as the typed array holds them, all checked: nothing is written before everything fits. */
export function encodeAll(type: ScalarType, values: unknown, name: string): ScalarArray {
  const list = typeof values === 'string' && type.code === 'c' ? toBytes(values, name) : asList(type, values, name)
  if (list instanceof type.ArrayType && !hasSmallerRange(type)) return list as ScalarArray
  const elements = new type.ArrayType(list.length)
  let i = 0
  try {
    for (; i < list.length; i++) elements[i] = type.encode(fromElement(type, list, list[i], name), name)
  } catch (error) {
    // Once more, for an error that names the element: making that name for each would cost more than all the rest.
    const place = `${name}[${i}]`
    type.encode(fromElement(type, list, list[i], place), place)
    throw error // a list that gives another item this time
  }
  return elements
}

/** Elements of arrays of characters and booleans are numbers, and may come as such. */
function fromElement(type: ScalarType, list: ArrayLike<unknown>, item: unknown, name: string): unknown {
  const isView = ArrayBuffer.isView(list)
  if (type.code === '?' && isView) return booleanOf(item, name)
  if ((type.code === 'c' || type.code === 'u') && (isView || typeof item === 'number')) {
    return characterOf(item as number, type, name)
  }
  return item
}

function asList(type: ScalarType, values: unknown, name: string): ArrayLike<unknown> {
  if (type.code === 'u' && typeof values === 'string') return [...values]
  return toList(values, name, 'an iterable of the elements')
}

/** Types whose typed array holds more than they allow: bool (0 and 1 of a byte), wchar (code points of 32 bits). */
function hasSmallerRange(type: ScalarType): boolean {
  return type.code === '?' || type.code === 'u'
}

function characterOf(code: number, type: ScalarType, name: string): string {
  const max = type.code === 'c' ? 0xff : 0x10ffff
  if (!Number.isInteger(code) || code < 0 || code > max) throw rangeError(name, `a character code up to ${max}`, code)
  return String.fromCodePoint(code)
}
