/** StructValue: `new Value(Point)` returns one. */
import type { Handle } from '../memory/handle.ts'
import { registerShareable } from '../memory/shareable.ts'
import type { AnyLock } from '../sync/rlock.ts'
import { assertFunction, assertNotThenable } from '../validate.ts'
import type { GuardedSegment } from './guarded-segment.ts'
import type { Layout } from './struct-layout.ts'
import { ValueBase } from './value-base.ts'

/** A private copy of the record, which a function changes. */
interface Draft {
  readonly bytes: DataView
  readonly view: object
}

export class StructValue extends ValueBase {
  readonly #guarded = ValueBase.guardedOf(this)
  readonly #layout: Layout
  readonly #bytes: DataView
  readonly #view: object
  /**
   * The draft of an update that has ended. The next update uses it, because making a record takes longer than the rest of an
   * update.
   */
  #spare: Draft | undefined

  constructor(guarded: GuardedSegment) {
    super(guarded)
    this.#layout = guarded.type as Layout
    this.#bytes = new DataView(guarded.buffer, guarded.byteOffset, this.#layout.byteLength)
    this.#view = this.#layout.view(this.#bytes, 0)
    registerShareable(this)
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

  get value(): object {
    this.#guarded.assertOpen()
    return this.#view
  }

  set value(value: unknown) {
    const scratch = newBytes(this.#layout)
    this.#layout.write(scratch, 0, value, 'value', false)
    this.#guarded.guard(() => copy(scratch, this.#bytes))
  }

  /** Changes some fields under the lock, all or nothing; the others stay. */
  assign(fields: unknown): void {
    this.#guarded.guard(() => {
      const scratch = newBytes(this.#layout)
      copy(this.#bytes, scratch)
      this.#layout.write(scratch, 0, fields, 'fields', true)
      copy(scratch, this.#bytes)
    })
  }

  update(fn: (value: never) => unknown): unknown {
    assertFunction('fn', fn)
    return this.#guarded.guard(() => {
      // Works on a copy, so that an error in fn or in its result leaves the value unchanged.
      const draft = this.#spare ?? this.#newDraft()
      this.#spare = undefined // fn may update as well
      copy(this.#bytes, draft.bytes)
      const result = fn(draft.view as never)
      assertNotThenable('fn', result)
      if (result !== undefined && result !== draft.view) {
        this.#layout.write(draft.bytes, 0, result, 'the result of fn', false)
      }
      copy(draft.bytes, this.#bytes)
      this.#spare = draft
      return this.#layout.snapshot(draft.bytes, 0)
    })
  }

  snapshot(): object {
    return this.#guarded.guard(() => this.#layout.snapshot(this.#bytes, 0))
  }

  get handle(): Handle {
    return this.#guarded.handleOf(this)
  }

  close(): void {
    this.#guarded.close()
  }

  unlink(): void {
    this.#guarded.unlink()
  }

  protected peek(): unknown {
    return this.#view
  }

  #newDraft(): Draft {
    const bytes = newBytes(this.#layout)
    return { bytes, view: this.#layout.view(bytes, 0) }
  }
}

function newBytes({ byteLength }: Layout): DataView {
  return new DataView(new ArrayBuffer(byteLength))
}

function copy(from: DataView, to: DataView): void {
  const bytes = new Uint8Array(from.buffer, from.byteOffset, from.byteLength)
  new Uint8Array(to.buffer, to.byteOffset, to.byteLength).set(bytes)
}
