/** Value: one scalar of a checked type, with exact arithmetic. */

import { type AtomicCell, atomicCell } from '../../../scalars/atomic-cell.ts'
import { assertOperation, combined } from '../../../scalars/operation.ts'
import { encodeElement, findScalar, type ScalarType } from '../../../scalars/scalar.ts'
import type { RawElement } from '../../../scalars/storage.ts'
import type { ElementOf, TypeName } from '../../../scalars/types.ts'
import { unknownTypeError } from '../../../scalars/unknown-type.ts'
import { journal } from '../../server/journal.ts'
import { managedType } from '../../server/managed-type.ts'
import { textOf } from '../../server/values/text.ts'
import { valueContract } from './contract.ts'

/** A scalar in the form in which clients receive it. */
export type Element = ElementOf<TypeName>

type Operation = 'add' | 'sub' | 'and' | 'or' | 'xor'

/** The scalar type that a client named. @throws `TypeError`, with the most likely type in its message. */
export function scalarOf(name: unknown): ScalarType {
  const type = findScalar(name)
  if (type === undefined) throw unknownTypeError('type', name, [])
  return type
}

/** One scalar, or one element of an array. */
export class Scalar {
  readonly type: ScalarType
  readonly #cell: AtomicCell

  constructor(type: ScalarType, buffer: ArrayBufferLike, byteOffset: number) {
    this.type = type
    this.#cell = atomicCell(type, buffer, byteOffset)
  }

  get value(): Element {
    return this.type.decode(this.#cell.load()) as Element
  }

  exchange(value: unknown): Element {
    const raw = encodeElement(this.type, value, 'value')
    this.#note()
    return this.type.decode(this.#cell.operate('exchange', raw)) as Element
  }

  compareExchange(expected: unknown, replacement: unknown): Element {
    const [old, next] = [this.type.encode(expected, 'expected'), this.type.encode(replacement, 'replacement')]
    this.#note()
    return this.type.decode(this.#cell.compareExchange(old, next)) as Element
  }

  operate(operation: Operation, value: unknown): Element {
    const { type } = this
    assertOperation(type, operation)
    const raw = encodeElement(type, value, 'value')
    const old = this.#cell.load()
    const next = combined(type, operation, old, raw)
    this.#note()
    this.#cell.store(next)
    return type.decode(old) as Element
  }

  #note(): void {
    if (!journal.isOpen) return
    const old: RawElement = this.#cell.load()
    journal.note(() => this.#cell.store(old))
  }
}

export const valueType = managedType(
  valueContract,
  ([typeName, initial]) => {
    const type = scalarOf(typeName)
    const scalar = new Scalar(type, new ArrayBuffer(type.byteLength), 0)
    if (initial !== undefined) scalar.exchange(type.decode(type.encode(initial, 'initial')))
    return scalar
  },
  {
    methods: {
      get: (scalar) => scalar.value,
      type: (scalar) => scalar.type.code,
      set: (scalar, _request, value) => void scalar.exchange(value),
      exchange: (scalar, _request, value) => scalar.exchange(value),
      compareExchange: (scalar, _request, expected, replacement) => scalar.compareExchange(expected, replacement),
      add: (scalar, _request, value) => scalar.operate('add', value),
      sub: (scalar, _request, value) => scalar.operate('sub', value),
      and: (scalar, _request, value) => scalar.operate('and', value),
      or: (scalar, _request, value) => scalar.operate('or', value),
      xor: (scalar, _request, value) => scalar.operate('xor', value),
    },
    show: ({ type, value }) => `Value('${type.code}', ${textOf(value)})`,
  },
)
