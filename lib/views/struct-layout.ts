/**
 * Layout: the plan of a struct - offset, size and codec per field - and one accessor class whose getters and setters are
 * closures over the plan (no code is generated from text). A record is an instance of that class at an offset of a buffer.
 */
import { inspect } from 'node:util'
import { typeError, unknownKeyError } from '../validate.ts'
import { bytesAt, type FieldPlan, planOf, roundUp, StructPlan } from './field-plan.ts'
import type { StructFields, StructSnapshot, StructType, StructView } from './struct-types.ts'

export class Layout<F extends StructFields = StructFields> extends StructPlan implements StructType<F> {
  readonly fields: F
  readonly byteLength: number
  readonly alignment: number
  readonly offsets: { readonly [K in keyof F]: number }
  readonly schema: unknown
  readonly #plans: readonly { readonly name: string; readonly at: number; readonly plan: FieldPlan }[]
  readonly #Record: new (
    bytes: DataView,
    at: number,
  ) => object

  constructor(fields: F) {
    super()
    this.fields = Object.freeze({ ...fields })
    let end = 0
    let alignment = 1
    this.#plans = Object.entries(fields).map(([name, type]) => {
      const plan = planOf(type, `fields.${name}`)
      const at = roundUp(end, plan.alignment)
      end = at + plan.byteLength
      alignment = Math.max(alignment, plan.alignment)
      return { name, at, plan }
    })
    this.alignment = alignment
    this.byteLength = roundUp(end, alignment)
    this.offsets = Object.fromEntries(this.#plans.map(({ name, at }) => [name, at])) as { [K in keyof F]: number }
    this.schema = this.#plans.map(({ name, plan }) => [name, plan.schema])
    this.#Record = this.#defineRecord()
  }

  asField(): FieldPlan {
    return {
      isScalar: false,
      byteLength: this.byteLength,
      alignment: this.alignment,
      schema: { struct: this.schema },
      get: (bytes, at) => this.view(bytes, at),
      set: (bytes, at, value, name) => this.write(bytes, at, value, name, false),
      snapshot: (bytes, at) => this.snapshot(bytes, at),
    }
  }

  /** A live record at `at`. */
  view(bytes: DataView, at: number): StructView<F> {
    return new this.#Record(bytes, at) as StructView<F>
  }

  /** Writes a whole record. Fields that `value` lacks are zero with `partial`, an error otherwise. */
  write(bytes: DataView, at: number, value: unknown, name: string, partial: boolean): void {
    if (typeof value !== 'object' || value === null)
      throw typeError(name, 'an object with the fields of the struct', value)
    const source = value as Record<string, unknown>
    if (value instanceof StructRecord) {
      if (this.#isSameAs(StructRecord.layoutOf(value))) {
        const from = bytesAt(StructRecord.bytesOf(value), StructRecord.offsetOf(value), this.byteLength)
        bytesAt(bytes, at, this.byteLength).set(from)
        return
      }
    } else {
      for (const key of Object.keys(source)) {
        if (!Object.hasOwn(this.offsets, key)) throw unknownKeyError(name, key, 'field', this.#names())
      }
    }
    for (const { name: field, at: offset, plan } of this.#plans) {
      const given = source[field]
      if (given === undefined && partial) continue
      plan.set(bytes, at + offset, given, `${name}.${field}`)
    }
  }

  /** A plain copy of a record. */
  snapshot(bytes: DataView, at: number): StructSnapshot<F> {
    const entries = this.#plans.map(({ name, at: offset, plan }) => [name, plan.snapshot(bytes, at + offset)])
    return Object.fromEntries(entries) as StructSnapshot<F>
  }

  /** Two processes declare the same struct each for itself. */
  #isSameAs(other: Layout): boolean {
    return (other as unknown) === this || JSON.stringify(other.schema) === JSON.stringify(this.schema)
  }

  #names(): string[] {
    return this.#plans.map(({ name }) => name)
  }

  #defineRecord(): new (bytes: DataView, at: number) => object {
    const layout = this
    class Record extends StructRecord {
      constructor(bytes: DataView, at: number) {
        super(layout as unknown as Layout, bytes, at)
      }
      toJSON(): unknown {
        return layout.snapshot(StructRecord.bytesOf(this), StructRecord.offsetOf(this))
      }
      [inspect.custom](): unknown {
        return layout.snapshot(StructRecord.bytesOf(this), StructRecord.offsetOf(this))
      }
    }
    for (const { name, at: offset, plan } of this.#plans) {
      Object.defineProperty(Record.prototype, name, {
        enumerable: true,
        configurable: true,
        get(this: StructRecord) {
          return plan.get(StructRecord.bytesOf(this), StructRecord.offsetOf(this) + offset)
        },
        set(this: StructRecord, value: unknown) {
          setField(plan, StructRecord.bytesOf(this), StructRecord.offsetOf(this) + offset, value, name)
        },
      })
    }
    return Record
  }
}

/** Where a record lies. */
class StructRecord {
  readonly #layout: Layout
  readonly #bytes: DataView
  readonly #at: number

  constructor(layout: Layout, bytes: DataView, at: number) {
    this.#layout = layout
    this.#bytes = bytes
    this.#at = at
    Object.preventExtensions(this) // a misspelt field is an error, not a property of this object alone
  }

  static layoutOf(record: StructRecord): Layout {
    return record.#layout
  }

  static bytesOf(record: StructRecord): DataView {
    return record.#bytes
  }

  static offsetOf(record: StructRecord): number {
    return record.#at
  }
}

/** Sets a field of a live record, all or nothing: a value that does not fit leaves it as it was. */
function setField(plan: FieldPlan, bytes: DataView, at: number, value: unknown, name: string): void {
  if (plan.isScalar) {
    plan.set(bytes, at, value, name)
    return
  }
  const scratch = new DataView(new ArrayBuffer(plan.byteLength))
  plan.set(scratch, 0, value, name)
  bytesAt(bytes, at, plan.byteLength).set(bytesAt(scratch, 0, plan.byteLength))
}
