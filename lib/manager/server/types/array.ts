/** Array: elements of a type that is checked, of a fixed number. */

import { managerError } from '../../../errors/manager-messages.ts'
import { encodeAll } from '../../../scalars/elements.ts'
import type { ScalarType } from '../../../scalars/scalar.ts'
import type { RawElement, ScalarArray } from '../../../scalars/storage.ts'
import { assertInteger } from '../../../validate.ts'
import { assertRoom, lengthOrValues } from '../../../views/array-members.ts'
import type { Call } from '../call.ts'
import { journal } from '../journal.ts'
import { OPERATIONS } from '../limits.ts'
import { type ManagedType, methods } from '../managed-type.ts'
import { Batch } from './batch.ts'
import { assertPosition, elementIndex, textOf } from './operations.ts'
import { Scalar, scalarMethods, scalarOf } from './value.ts'

class Elements {
  readonly type: ScalarType
  readonly view: ScalarArray

  constructor(type: ScalarType, view: ScalarArray) {
    this.type = type
    this.view = view
  }

  /** The element at an index, counted from the end if negative. */
  scalar(index: unknown): Scalar {
    return this.#scalarAt(elementIndex(index, this.view.length))
  }

  at(index: unknown): unknown {
    assertInteger('index', index, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    const raw = this.view.at(index)
    return raw === undefined ? undefined : this.type.decode(raw)
  }

  slice(call: Call, start: unknown, end: unknown): ScalarArray {
    assertPosition('start', start)
    assertPosition('end', end)
    const part = this.view.subarray(start, end)
    call.session.assertReply(part.byteLength)
    return part.slice()
  }

  assign(values: unknown, offset: unknown = 0): void {
    const elements = encodeAll(this.type, values, 'values')
    assertRoom(offset, elements.length, this.view.length)
    if (journal.isOpen) this.#note(offset, offset + elements.length)
    this.view.set(elements as never, offset)
  }

  fill(value: unknown, start: unknown, end: unknown): void {
    assertPosition('start', start)
    assertPosition('end', end)
    const raw = this.type.encode(value, 'value')
    if (journal.isOpen) this.#note(0, this.view.length)
    this.view.fill(raw as never, start, end)
  }

  /** The elements as they are seen one by one. */
  *values(start: number): Generator<unknown, void, undefined> {
    for (let i = start; i < this.view.length; i++) yield this.type.decode(this.view[i]!)
  }

  #scalarAt(index: number): Scalar {
    return new Scalar(this.type, this.view.buffer, this.view.byteOffset + index * this.type.byteLength)
  }

  #note(start: number, end: number): void {
    const old = this.view.slice(start, end)
    journal.note(() => this.view.set(old as never, start))
  }
}

function batch(elements: Elements, start: unknown, count: unknown): unknown[] {
  assertInteger('start', start, 0, Number.MAX_SAFE_INTEGER)
  const result = new Batch<unknown>(count)
  for (const value of elements.values(start)) if (!result.add(value)) break
  return result.items
}

const table = {
  at: (elements: Elements, _call: Call, index: unknown) => elements.at(index),
  length: (elements: Elements) => elements.view.length,
  type: (elements: Elements) => elements.type.code,
  slice: (elements: Elements, call: Call, start: unknown, end: unknown) => elements.slice(call, start, end),
  snapshot: (elements: Elements, call: Call) => elements.slice(call, undefined, undefined),
  toArray: (elements: Elements, call: Call) => {
    call.session.assertReply(elements.view.length)
    return [...elements.values(0)]
  },
  assign: (elements: Elements, _call: Call, values: unknown, offset: unknown) => elements.assign(values, offset),
  fill: (elements: Elements, _call: Call, value: unknown, start: unknown, end: unknown) =>
    elements.fill(value, start, end),
  ...scalarMethods<Elements>(1, (elements, index) => elements.scalar(index)),
}

function create([typeName, given]: readonly unknown[]): Elements {
  const type = scalarOf(typeName)
  const isText = typeof given === 'string' && type.text !== undefined
  const { length, values } = isText ? { length: 0, values: given } : lengthOrValues(given)
  const elements = values === undefined ? undefined : encodeAll(type, values, 'values')
  const count = elements?.length ?? length
  if (count * type.byteLength > OPERATIONS.arrayBytes) {
    const bytes = { count: count * type.byteLength, max: OPERATIONS.arrayBytes }
    throw managerError('ERR_LIMIT', { type: 'Array', limit: 'bytes', ...bytes })
  }
  const view = new type.ArrayType(count)
  if (elements !== undefined) view.set(elements as never)
  return new Elements(type, view)
}

/** How many elements are shown. */
const SHOWN = 100

export const arrayType: ManagedType = {
  name: 'Array',
  create,
  methods: methods({
    ...table,
    batch: (elements: Elements, _call, start: unknown, count: unknown) => batch(elements, start, count),
  }),
  transactional: new Set(Object.keys(table)),
  show(object) {
    const { type, view } = object as Elements
    const shown = Array.from(view.subarray(0, SHOWN + 1) as ArrayLike<RawElement>, (raw) => type.decode(raw))
    if (view.length <= SHOWN) return `Array('${type.code}', ${textOf(shown)})`
    return `Array('${type.code}', ${textOf(shown.slice(0, SHOWN)).slice(0, -2)}, ... ${view.length - SHOWN} more ])`
  },
}
