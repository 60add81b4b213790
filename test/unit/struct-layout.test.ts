import fc from 'fast-check'
import { SharedArray, Struct, type StructFields, type StructType, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { noCompiler, runC } from '../helpers/c-compiler.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'
import { SCALARS } from '../helpers/scalar-types.ts'
import {
  fieldName,
  filling,
  layoutOf,
  type Shape,
  type StructShape,
  structShape,
  toStruct,
  zero,
} from '../helpers/struct-arbitrary.ts'

expectNoLeftovers()

function measured(type: StructType<StructFields>): unknown {
  return { size: type.byteLength, alignment: type.alignment, offsets: Object.values(type.offsets) }
}

describe('Struct lays out its fields', () => {
  it('by the rules of C', () => {
    const property = fc.property(structShape(), (shape) => {
      expect(measured(toStruct(shape))).toEqual(layoutOf(shape))
    })
    fc.assert(property, { numRuns: 300 })
  })

  it('with padding before and after them', () => {
    const Point = Struct({ x: 'd', y: 'd' })
    const Mixed = Struct({ a: 'b', b: 'i', c: 'h', d: 'd', e: 'c', s: ['c', 5], arr: ['i', 3], p: Point })
    expect(Mixed.offsets).toEqual({ a: 0, b: 4, c: 8, d: 16, e: 24, s: 25, arr: 32, p: 48 })
    expect(Mixed.byteLength).toBe(64)
    expect(Mixed.alignment).toBe(8)
  })

  const reason = noCompiler ? ` (skipped: ${noCompiler})` : ''

  it.skipIf(noCompiler)(`as the C compiler does${reason}`, () => {
    const shapes = fc.sample(structShape(), { numRuns: 60, seed: 20250701 })
    const { declarations, names } = declare(shapes)
    const prints = names.map((name, i) => {
      const offsets = shapes[i]!.fields.map((_, f) => `printf(",%zu", offsetof(struct ${name}, ${fieldName(f)}));`)
      return `printf("%zu,%zu", sizeof(struct ${name}), _Alignof(struct ${name})); ${offsets.join(' ')} puts("");`
    })
    const output = runC(
      `#include <stddef.h>\n#include <stdio.h>\n${declarations}\nint main(void) { ${prints.join('\n')} }`,
    )
    const lines = output.trim().split('\n')
    expect(lines).toHaveLength(shapes.length)
    for (const [i, line] of lines.entries()) {
      const [size, alignment, ...offsets] = line.split(',').map(Number)
      expect(measured(toStruct(shapes[i]!))).toEqual({ size, alignment, offsets })
    }
  })

  it.skipIf(noCompiler)(`so that C reads what JavaScript has written${reason}`, () => {
    const Inner = Struct({ flag: '?', weight: 'f' })
    const Record = Struct({
      bytes: ['B', 3],
      c: 'c',
      b: 'b',
      u: 'u',
      h: 'h',
      H: 'H',
      i: 'i',
      I: 'I',
      l: 'l',
      q: 'q',
      Q: 'Q',
      d: 'd',
      text: ['c', 6],
      wide: ['u', 3],
      inner: Inner,
      pairs: [Inner, 2],
      grid: [['h', 2], 2],
    })
    using value = new Value(Record, {
      bytes: [1, 2, 255],
      c: 'Z',
      b: -2,
      u: 'ß',
      h: -300,
      H: 60_000,
      i: -70_000,
      I: 4_000_000_000,
      l: -5,
      q: -(2n ** 40n),
      Q: 2n ** 63n,
      d: -1.25,
      text: 'hello',
      wide: 'añ',
      inner: { flag: true, weight: 0.1 },
      pairs: [
        { flag: false, weight: 1e10 },
        { flag: true, weight: -0 },
      ],
      grid: [
        [1, 2],
        [3, -4],
      ],
    })
    const output = runC(`
      #include <stdio.h>
      #include <string.h>
      #include <wchar.h>
      struct inner { _Bool flag; float weight; };
      struct record {
        unsigned char bytes[3]; char c; signed char b; wchar_t u; short h; unsigned short H; int i; unsigned int I;
        long l; long long q; unsigned long long Q; double d; char text[6]; wchar_t wide[3];
        struct inner inner; struct inner pairs[2]; short grid[2][2];
      };
      int main(void) {
        struct record r;
        memset(&r, 0, sizeof r);
        r.bytes[0] = 1; r.bytes[1] = 2; r.bytes[2] = 255; r.c = 'Z'; r.b = -2; r.u = 0xdf; r.h = -300; r.H = 60000;
        r.i = -70000; r.I = 4000000000u; r.l = -5; r.q = -(1ll << 40); r.Q = 1ull << 63; r.d = -1.25;
        strcpy(r.text, "hello"); r.wide[0] = 'a'; r.wide[1] = 0xf1; r.inner.flag = 1; r.inner.weight = 0.1f;
        r.pairs[0].weight = 1e10f; r.pairs[1].flag = 1; r.pairs[1].weight = -0.0f;
        r.grid[0][0] = 1; r.grid[0][1] = 2; r.grid[1][0] = 3; r.grid[1][1] = -4;
        for (size_t n = 0; n < sizeof r; n++) printf("%02x", ((unsigned char*)&r)[n]);
        return 0;
      }`)
    const { buffer } = value.value.bytes
    expect(Buffer.from(new Uint8Array(buffer, 0, Record.byteLength)).toString('hex')).toBe(output)
  })
})

/** C declarations of the shapes, the nested ones first. */
function declare(shapes: readonly StructShape[]): { declarations: string; names: string[] } {
  const declarations: string[] = []
  const declareStruct = ({ fields }: StructShape): string => {
    const members = fields.map((field, i) => `${declarator(field, fieldName(i))};`)
    const name = `s${declarations.length}`
    declarations.push(`struct ${name} { ${members.join(' ')} };`)
    return name
  }
  const declarator = (shape: Shape, name: string): string => {
    if (shape.kind === 'array') return declarator(shape.element, `${name}[${shape.length}]`)
    if (shape.kind === 'struct') return `struct ${declareStruct(shape)} ${name}`
    return `${SCALARS.find(({ code }) => code === shape.code)!.cType} ${name}`
  }
  const names = shapes.map(declareStruct)
  return { declarations: `#include <wchar.h>\n${declarations.join('\n')}`, names }
}

describe('a record of any struct', () => {
  it('starts at zero', () => {
    const property = fc.property(structShape(), (shape) => {
      using value = new Value(toStruct(shape))
      expect(value.snapshot()).toEqual(zero(shape))
    })
    fc.assert(property, { numRuns: 40 })
  })

  it('returns what was written, field by field or as a whole', () => {
    const pair = structShape().chain((shape) => fc.tuple(fc.constant(shape), filling(shape), filling(shape)))
    const property = fc.property(pair, ([shape, first, second]) => {
      const type = toStruct(shape)
      using value = new Value(type, first.input as never)
      expect(value.snapshot()).toEqual(first.output)
      expect(value.update(() => second.input as never)).toEqual(second.output)
      Object.assign(value.value, first.input)
      expect(JSON.parse(safeJson(value.value))).toEqual(JSON.parse(safeJson(first.output)))
      value.value = second.input as never
      expect(value.snapshot()).toEqual(second.output)
    })
    fc.assert(property, { numRuns: 100 })
  })

  it('travels in the description: a process that attaches by name alone reads the same', () => {
    const one = structShape().chain((shape) => fc.tuple(fc.constant(shape), filling(shape)))
    const property = fc.property(one, ([shape, { input, output }]) => {
      using array = new SharedArray(toStruct(shape), [input as never])
      using same = SharedArray.attach(array.handle) as unknown as typeof array
      using typed = SharedArray.attach(array.handle, toStruct(shape))
      expect(same.snapshot()).toEqual([output])
      expect(typed.snapshot()).toEqual([output])
    })
    fc.assert(property, { numRuns: 40 })
  })
})

/** JSON that can tell bigints and the special numbers apart. */
function safeJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) =>
    typeof item === 'bigint' || (typeof item === 'number' && !Number.isFinite(item)) ? String(item) : item,
  )
}
