// Compiled, never run: what TypeScript knows, and what it refuses.
import { type AnyLock, attach, type Handle, RawValue, type Shareable, Struct, Value } from 'procshare'
import { exactly } from './exactly.ts'

declare const lock: AnyLock

// The type of the value follows from the type code.
exactly<number>()(new Value('d').value)
exactly<number>()(new Value('i').value)
exactly<number>()(new Value('uint32').value)
exactly<bigint>()(new Value('q').value)
exactly<bigint>()(new Value('uint64').value)
exactly<number | bigint>()(new Value('l').value)
exactly<boolean>()(new Value('?').value)
exactly<boolean>()(new Value('bool').value)
exactly<string>()(new Value('c').value)
exactly<string>()(new Value('wchar').value)
exactly<number>()(new RawValue('f').value)

// And from C's names, ctypes' and the constructors of typed arrays.
exactly<number>()(new Value('double').value)
exactly<number>()(new Value('int').value)
exactly<bigint>()(new Value('longlong').value)
exactly<number | bigint>()(new Value('c_ulong').value)
exactly<boolean>()(new Value('c_bool').value)
exactly<string>()(new Value('c_char').value)
exactly<bigint>()(new Value('c_uint64').value)
exactly<number>()(new Value(Float64Array).value)
exactly<bigint>()(new Value(BigInt64Array).value)
exactly<bigint>()(new RawValue(BigUint64Array, 1).add(1n))
exactly<number>()(Value.open('name', Uint8Array, 5).value)
exactly<bigint>()(Value.attach('name', BigInt64Array).value)
exactly<number>()(new Value('half').value)
exactly<'d'>()(new Value('double').type)
exactly<'q'>()(new Value(BigInt64Array).type)
// @ts-expect-error
new Value(Uint8ClampedArray)
// @ts-expect-error
new Value(Number)
// @ts-expect-error
new Value(BigInt)
// @ts-expect-error
new Value(DataView)
// @ts-expect-error
new Value(BigInt64Array, '1')
// @ts-expect-error
new Value(Float64Array, 1n)
// @ts-expect-error
new Value(Float64Array).and(1)
// @ts-expect-error
new Value('c_bool').add(true)

// And so does that of each member.
exactly<number>()(new Value('i').update((n) => n + 1))
exactly<bigint>()(new Value('Q').update((n) => n + 1n))
exactly<bigint>()(new Value('q').update(() => 5))
exactly<number>()(new Value('i').add(1))
exactly<bigint>()(new Value('q').add(1n))
exactly<bigint>()(new Value('q').sub(1))
exactly<boolean>()(new Value('?').or(true))
exactly<boolean>()(new Value('?').exchange(true))
exactly<string>()(new Value('c').compareExchange('a', 'b'))
exactly<number>()(new Value('d').load())
exactly<number>()(new Value('d').snapshot())
exactly<AnyLock>()(new Value('d').lock)
exactly<Handle>()(new Value('d').handle)
exactly<string>()(new Value('d').name)
new Value('i').value = 5
new Value('q').value = 5
new Value('q').value = 5n
new Value('?').value = true

// Named values are of the same types.
exactly<number>()(Value.create('name', 'i', 5).value)
exactly<bigint>()(Value.open('name', 'q').value)
exactly<boolean>()(Value.attach('name', '?').value)
exactly<number>()(Value.attach({ procshare: 1, kind: 'Value', name: 'name', id: '' }, 'i').value)
exactly<Value<'i'>>()(new Value('i'))
const counter: Value<'i'> = Value.open('name', 'i', 0, { persist: true, mode: 0o600, lock: false })
exactly<number>()(counter.value)
exactly<Shareable>()(attach(counter.handle))
const revived = attach(counter.handle) as Value<'i'>
exactly<number>()(revived.value)
using disposed = new Value('i')
exactly<number>()(disposed.value)

// Without an expected type nothing is known but that it is one of the types.
exactly<string | number | bigint | boolean>()(Value.attach('name').value)

// Options.
new Value('i', 0, { lock })
new Value('i', 0, { lock: new Value('d').lock })
new RawValue('i', 0, { persist: true })

// A misspelt type code is a compile error.
// @ts-expect-error
new Value('integer')
// @ts-expect-error
new Value('z', 1)
// @ts-expect-error
Value.create('name', 'I ')
// @ts-expect-error
Value.open('name', 'floating')
// @ts-expect-error
Value.attach('name', 'string')
// @ts-expect-error
new Value()
// @ts-expect-error
new RawValue('number')

// A value of another type is a compile error.
// @ts-expect-error
new Value('i', '5')
// @ts-expect-error
new Value('d', 5n)
// @ts-expect-error
new Value('i', true)
// @ts-expect-error
new Value('?', 1)
// @ts-expect-error
new Value('c', 65)
// @ts-expect-error
new Value('q', '5')
// @ts-expect-error
new Value('i', null)
// @ts-expect-error
new Value('i').value = '5'
// @ts-expect-error
new Value('i').value = 5n
// @ts-expect-error
new Value('?').value = 0
// @ts-expect-error
new Value('i').update((n) => String(n))
// @ts-expect-error
new Value('i').update(async (n) => n + 1)
// @ts-expect-error
new Value('i').update((n) => {
  n + 1
})
// @ts-expect-error
new Value('i').update(5)
// @ts-expect-error
new Value('i').exchange('5')
// @ts-expect-error
new Value('i').compareExchange(1, '2')
// @ts-expect-error
new Value('i').store(undefined)

// Arithmetic is for numbers.
// @ts-expect-error
new Value('?').add(true)
// @ts-expect-error
new Value('?').sub(1)
// @ts-expect-error
new Value('c').add('x')
// @ts-expect-error
new Value('u').sub(1)

// Bit operations are for integers and booleans.
exactly<number>()(new Value('i').and(1))
exactly<bigint>()(new Value('int64').xor(1n))
// @ts-expect-error
new Value('d').and(1)
// @ts-expect-error
new Value('float32').or(1)
// @ts-expect-error
new Value('c').xor('x')

// A misspelt option is a compile error.
// @ts-expect-error
new Value('i', 0, { presist: true })
// @ts-expect-error
new Value('i', 0, { lock: 'yes' })
// @ts-expect-error
new Value('i', 0, true)
// @ts-expect-error
new RawValue('i', 0, { lock: true })
// @ts-expect-error
Value.attach('name', 'i', { lock: false })
// @ts-expect-error
Value.create('i', 0)

// What is read-only cannot be written.
// @ts-expect-error
counter.name = 'other'
// @ts-expect-error
counter.lock = lock
// @ts-expect-error
counter.handle = revived.handle

// A struct is not a scalar.
// @ts-expect-error
new Value(Struct({ x: 'd' })).add(1)
// @ts-expect-error
new Value({ x: 'd' })
