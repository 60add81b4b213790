/** ScalarValue: `new Value('i')` returns one. Its `update` is the hottest path of the library. */
import type { Handle } from '../memory/handle.ts'
import { registerShareable } from '../memory/shareable.ts'
import { type AtomicCell, atomicCell } from '../scalars/atomic-cell.ts'
import { assertOperation, combined, type Operation, operationError, sumOf } from '../scalars/operation.ts'
import { encodeElement, type ScalarType } from '../scalars/scalar.ts'
import type { RawElement, ScalarArray } from '../scalars/storage.ts'
import type { AnyLock } from '../sync/rlock.ts'
import { assertFunction } from '../validate.ts'
import type { GuardedSegment } from './guarded-segment.ts'
import { ValueBase } from './value-base.ts'

export class ScalarValue extends ValueBase {
  readonly #guarded = ValueBase.guardedOf(this)
  readonly #type = this.#guarded.type as ScalarType
  readonly #state = this.#guarded.state
  #view: ScalarArray | undefined = new this.#type.ArrayType(this.#guarded.innerBuffer, this.#guarded.byteOffset, 1)
  #cell: AtomicCell | undefined

  constructor(guarded: GuardedSegment) {
    super(guarded)
    registerShareable(this)
  }

  get name(): string {
    return this.#guarded.name
  }

  get type(): string {
    return this.#type.code
  }

  get lock(): AnyLock {
    return this.#guarded.lock
  }

  get value(): unknown {
    const view = this.#view
    if (view === undefined) throw this.#guarded.closedError()
    const state = this.#state
    if (state === undefined) return this.#type.decode(view[0]!)
    const abandoned = state.enter()
    const { ownership } = state
    try {
      return this.#type.decode(view[0]!)
    } finally {
      state.leave(ownership, abandoned)
    }
  }

  set value(value: unknown) {
    const view = this.#view
    if (view === undefined) throw this.#guarded.closedError()
    const raw = encodeElement(this.#type, value, 'value')
    const state = this.#state
    if (state === undefined) {
      view[0] = raw
      return
    }
    const abandoned = state.enter()
    const { ownership } = state
    try {
      view[0] = raw
    } finally {
      state.leave(ownership, abandoned)
    }
  }

  update(fn: (value: never) => unknown): unknown {
    const view = this.#view
    if (view === undefined) throw this.#guarded.closedError()
    assertFunction('fn', fn)
    const state = this.#state
    if (state === undefined) return this.#updateUnlocked(fn)
    const type = this.#type
    const abandoned = state.enter()
    const { ownership } = state
    try {
      const next = encodeElement(type, fn(type.decode(view[0]!) as never), 'the result of fn')
      if (this.#view === undefined) throw this.#guarded.closedError() // fn has closed it
      view[0] = next
      return type.decode(view[0]!)
    } finally {
      state.leave(ownership, abandoned)
    }
  }

  snapshot(): unknown {
    return this.value
  }

  load(): unknown {
    return this.#atomically((cell) => cell.load())
  }

  store(value: unknown): unknown {
    const raw = encodeElement(this.#type, value, 'value')
    this.#atomically((cell) => {
      cell.store(raw)
      return raw
    })
    return value
  }

  exchange(value: unknown): unknown {
    return this.#operate('exchange', value)
  }

  compareExchange(expected: unknown, replacement: unknown): unknown {
    const old = this.#type.encode(expected, 'expected')
    const next = this.#type.encode(replacement, 'replacement')
    return this.#atomically((cell) => cell.compareExchange(old, next))
  }

  add(value: unknown): unknown {
    return this.#sum('add', value)
  }

  sub(value: unknown): unknown {
    return this.#sum('sub', value)
  }

  and(value: unknown): unknown {
    return this.#operate('and', value)
  }

  or(value: unknown): unknown {
    return this.#operate('or', value)
  }

  xor(value: unknown): unknown {
    return this.#operate('xor', value)
  }

  get handle(): Handle {
    return this.#guarded.handleOf(this)
  }

  close(): void {
    this.#guarded.close()
    this.#view = undefined
    this.#cell = undefined
  }

  unlink(): void {
    this.#guarded.unlink()
  }

  protected peek(): unknown {
    return this.#view === undefined ? undefined : this.#type.decode(this.#view[0]!)
  }

  /** Like `#operate`, but only for sums: so the hot path is short enough for V8 to inline all of it. */
  #sum(operation: 'add' | 'sub', value: unknown): unknown {
    const type = this.#type
    if (!type.hasSums) throw operationError(type, operation)
    const raw = encodeElement(type, value, 'value')
    const state = this.#state
    if (state === undefined) return type.decode(this.#openCell().operate(operation, raw))
    const view = this.#view
    if (view === undefined) throw this.#guarded.closedError()
    const abandoned = state.enter()
    const { ownership } = state
    try {
      const old = view[0]!
      view[0] = sumOf(type, operation, old, raw)
      return type.decode(old)
    } finally {
      state.leave(ownership, abandoned)
    }
  }

  #operate(operation: Operation, value: unknown): unknown {
    const type = this.#type
    assertOperation(type, operation)
    const raw = encodeElement(type, value, 'value')
    const state = this.#state
    if (state === undefined) return type.decode(this.#openCell().operate(operation, raw))
    const view = this.#view
    if (view === undefined) throw this.#guarded.closedError()
    const abandoned = state.enter()
    const { ownership } = state
    try {
      const old = view[0]!
      view[0] = combined(type, operation, old, raw)
      return type.decode(old)
    } finally {
      state.leave(ownership, abandoned)
    }
  }

  #atomically(operation: (cell: AtomicCell) => RawElement): unknown {
    const cell = this.#openCell()
    const state = this.#state
    if (state === undefined) return this.#type.decode(operation(cell))
    const abandoned = state.enter()
    const { ownership } = state
    try {
      return this.#type.decode(operation(cell))
    } finally {
      state.leave(ownership, abandoned)
    }
  }

  #updateUnlocked(fn: (value: never) => unknown): unknown {
    const type = this.#type
    const next = this.#openCell().replace((old) => {
      const result = type.encode(fn(type.decode(old) as never), 'the result of fn')
      if (this.#view === undefined) throw this.#guarded.closedError() // fn has closed it
      return result
    })
    return type.decode(next)
  }

  #openCell(): AtomicCell {
    const view = this.#view
    if (view === undefined) throw this.#guarded.closedError()
    this.#cell ??= atomicCell(this.#type, view.buffer, view.byteOffset)
    return this.#cell
  }
}
