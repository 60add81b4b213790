/** Value: one scalar of a type that is checked, with exact arithmetic. */
import { type AtomicCell, atomicCell } from '../../../scalars/atomic-cell.ts'
import { assertOperation, combined } from '../../../scalars/operation.ts'
import { encodeElement, findScalar, type ScalarType } from '../../../scalars/scalar.ts'
import type { RawElement } from '../../../scalars/storage.ts'
import { unknownTypeError } from '../../../scalars/unknown-type.ts'
import type { Call } from '../call.ts'
import { journal } from '../journal.ts'
import { type ManagedType, methods } from '../managed-type.ts'
import { textOf } from './operations.ts'

type Operation = 'add' | 'sub' | 'and' | 'or' | 'xor'
const OPERATIONS: readonly Operation[] = ['add', 'sub', 'and', 'or', 'xor']

/** The scalar type that a client named. @throws `TypeError` that says what was most likely meant. */
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

  get value(): unknown {
    return this.type.decode(this.#cell.load())
  }

  exchange(value: unknown): unknown {
    const raw = encodeElement(this.type, value, 'value')
    this.#note()
    return this.type.decode(this.#cell.operate('exchange', raw))
  }

  compareExchange(expected: unknown, replacement: unknown): unknown {
    const [old, next] = [this.type.encode(expected, 'expected'), this.type.encode(replacement, 'replacement')]
    this.#note()
    return this.type.decode(this.#cell.compareExchange(old, next))
  }

  operate(operation: Operation, value: unknown): unknown {
    const { type } = this
    assertOperation(type, operation)
    const raw = encodeElement(type, value, 'value')
    const old = this.#cell.load()
    const next = combined(type, operation, old, raw)
    this.#note()
    this.#cell.store(next)
    return type.decode(old)
  }

  #note(): void {
    if (!journal.isOpen) return
    const old: RawElement = this.#cell.load()
    journal.note(() => this.#cell.store(old))
  }
}

/** The methods that change a scalar, for what finds it by the first `count` arguments. */
export function scalarMethods<T>(count: number, find: (object: T, ...where: unknown[]) => Scalar) {
  const at = (object: T, args: unknown[]) => find(object, ...args.slice(0, count))
  const table: Record<string, (object: T, call: Call, ...args: unknown[]) => unknown> = {
    set: (object, _call, ...args) => void at(object, args).exchange(args[count]),
    exchange: (object, _call, ...args) => at(object, args).exchange(args[count]),
    compareExchange: (object, _call, ...args) => at(object, args).compareExchange(args[count], args[count + 1]),
  }
  for (const operation of OPERATIONS) {
    table[operation] = (object, _call, ...args) => at(object, args).operate(operation, args[count])
  }
  return table
}

const table = {
  get: (scalar: Scalar) => scalar.value,
  type: (scalar: Scalar) => scalar.type.code,
  ...scalarMethods<Scalar>(0, (scalar) => scalar),
}

export const valueType: ManagedType = {
  name: 'Value',
  create([typeName, initial]) {
    const type = scalarOf(typeName)
    const scalar = new Scalar(type, new ArrayBuffer(type.byteLength), 0)
    if (initial !== undefined) scalar.exchange(type.decode(type.encode(initial, 'initial')))
    return scalar
  },
  methods: methods(table),
  transactional: new Set(Object.keys(table)),
  show: (object) => `Value('${(object as Scalar).type.code}', ${textOf((object as Scalar).value)})`,
}
