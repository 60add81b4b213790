/** StructValue: what `new Value(Point)` gives. */
import type { Handle } from '../memory/handle.ts'
import { registerShareable } from '../memory/shareable.ts'
import type { AnyLock } from '../sync/rlock.ts'
import { assertFunction, assertNotThenable } from '../validate.ts'
import type { GuardedSegment } from './guarded-segment.ts'
import type { Layout } from './struct-layout.ts'
import { ValueBase } from './value-base.ts'

export class StructValue extends ValueBase {
  readonly #guarded = ValueBase.guardedOf(this)
  readonly #layout: Layout
  readonly #bytes: DataView
  readonly #view: object

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
    const scratch = this.#scratch()
    this.#layout.write(scratch, 0, value, 'value', false)
    this.#guarded.guard(() => this.#commit(scratch))
  }

  update(fn: (value: never) => unknown): unknown {
    assertFunction('fn', fn)
    return this.#guarded.guard(() => {
      // Works on a copy: an error in fn, or in what it returns, leaves the value as it was.
      const scratch = this.#scratch()
      copy(this.#bytes, scratch)
      const view = this.#layout.view(scratch, 0)
      const result = fn(view as never)
      assertNotThenable('fn', result)
      if (result !== undefined && result !== view) this.#layout.write(scratch, 0, result, 'the result of fn', false)
      this.#commit(scratch)
      return this.#layout.snapshot(scratch, 0)
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

  #scratch(): DataView {
    return new DataView(new ArrayBuffer(this.#layout.byteLength))
  }

  #commit(scratch: DataView): void {
    copy(scratch, this.#bytes)
  }
}

function copy(from: DataView, to: DataView): void {
  const bytes = new Uint8Array(from.buffer, from.byteOffset, from.byteLength)
  new Uint8Array(to.buffer, to.byteOffset, to.byteLength).set(bytes)
}
