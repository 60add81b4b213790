/** Array: a fixed number of elements of a checked type. */

import { managerError } from '../../../errors/manager-messages.ts'
import { encodeAll } from '../../../scalars/elements.ts'
import type { ScalarType } from '../../../scalars/scalar.ts'
import type { RawElement, ScalarArray } from '../../../scalars/storage.ts'
import { assertInteger } from '../../../validate.ts'
import { assertRoom, lengthOrValues } from '../../../views/array-members.ts'
import { journal } from '../../server/journal.ts'
import { OPERATIONS } from '../../server/limits.ts'
import { managedType } from '../../server/managed-type.ts'
import type { Request } from '../../server/request.ts'
import { Batch } from '../../server/values/batch.ts'
import { assertPosition, elementIndex } from '../../server/values/positions.ts'
import { textOf } from '../../server/values/text.ts'
import { type Element, Scalar, scalarOf } from '../value/object.ts'
import { arrayContract } from './contract.ts'

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

  at(index: unknown): Element | undefined {
    assertInteger('index', index, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    const raw = this.view.at(index)
    return raw === undefined ? undefined : (this.type.decode(raw) as Element)
  }

  slice(request: Request, start: unknown, end: unknown): ScalarArray {
    assertPosition('start', start)
    assertPosition('end', end)
    const part = this.view.subarray(start, end)
    request.client.assertReply(part.byteLength)
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

  /** The elements in the form in which single elements are returned. */
  *values(start: number): Generator<Element, void, undefined> {
    for (let i = start; i < this.view.length; i++) yield this.type.decode(this.view[i]!) as Element
  }

  #scalarAt(index: number): Scalar {
    return new Scalar(this.type, this.view.buffer, this.view.byteOffset + index * this.type.byteLength)
  }

  #note(start: number, end: number): void {
    const old = this.view.slice(start, end)
    journal.note(() => this.view.set(old as never, start))
  }
}

function batch(elements: Elements, start: unknown, count: unknown): Element[] {
  assertInteger('start', start, 0, Number.MAX_SAFE_INTEGER)
  const result = new Batch<Element>(count)
  for (const value of elements.values(start)) if (!result.add(value)) break
  return result.items
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

/** The largest number of elements that are shown. */
const SHOWN = 100

export const arrayType = managedType(arrayContract, create, {
  methods: {
    at: (elements, _request, index) => elements.at(index),
    length: (elements) => elements.view.length,
    type: (elements) => elements.type.code,
    slice: (elements, request, start, end) => elements.slice(request, start, end),
    snapshot: (elements, request) => elements.slice(request, undefined, undefined),
    toArray: (elements, request) => {
      request.client.assertReply(elements.view.length)
      return [...elements.values(0)]
    },
    assign: (elements, _request, values, offset) => elements.assign(values, offset),
    fill: (elements, _request, value, start, end) => elements.fill(value, start, end),
    batch: (elements, _request, start, count) => batch(elements, start, count),
    set: (elements, _request, index, value) => void elements.scalar(index).exchange(value),
    exchange: (elements, _request, index, value) => elements.scalar(index).exchange(value),
    compareExchange: (elements, _request, index, expected, replacement) =>
      elements.scalar(index).compareExchange(expected, replacement),
    add: (elements, _request, index, value) => elements.scalar(index).operate('add', value),
    sub: (elements, _request, index, value) => elements.scalar(index).operate('sub', value),
    and: (elements, _request, index, value) => elements.scalar(index).operate('and', value),
    or: (elements, _request, index, value) => elements.scalar(index).operate('or', value),
    xor: (elements, _request, index, value) => elements.scalar(index).operate('xor', value),
  },
  show({ type, view }) {
    const shown = Array.from(view.subarray(0, SHOWN + 1) as ArrayLike<RawElement>, (raw) => type.decode(raw))
    if (view.length <= SHOWN) return `Array('${type.code}', ${textOf(shown)})`
    return `Array('${type.code}', ${textOf(shown.slice(0, SHOWN)).slice(0, -2)}, ... ${view.length - SHOWN} more ])`
  },
})
