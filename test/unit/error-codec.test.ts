/** Errors as queues, managers, processes and the server of a manager send them: one codec. */
import { AssertionError } from 'node:assert'
import { createContext, runInContext } from 'node:vm'
import fc from 'fast-check'
import { Lock, Queue, ShareError, Value } from 'procshare'
import { describe, expect, it } from 'vitest'
import { decodeThrown, encodeThrown } from '../../lib/codec/thrown.ts'
import { ShareError as OwnShareError } from '../../lib/errors/share-error.ts'
import { decodeValue, encodeValue, type References } from '../../lib/manager/wire/values.ts'
import { expectNoLeftovers } from '../helpers/leftovers.ts'

expectNoLeftovers()

/** More than there can be calls on the stack. */
const DEPTH = 4_000

const references: References = { write: () => [1], read: ([id]) => ({ referent: id }) }

/** The ways on which errors travel, each as a function that gives what arrives. */
const ways: [name: string, through: <T>(value: T) => T][] = [
  [
    'a queue',
    (value) => {
      using queue = new Queue<typeof value>()
      queue.putSync(value)
      return queue.getSync()
    },
  ],
  [
    'a message of a manager',
    (value) => {
      const { bytes, format } = encodeValue(value, 0, references)
      return decodeValue(format, bytes, references) as typeof value
    },
  ],
  ['the end of a process', (value) => decodeThrown(encodeThrown(value)) as typeof value],
]

describe.each(ways)('an error through %s', (_name, through) => {
  it('arrives with its class, message, stack, code and own properties', () => {
    const error = Object.assign(new RangeError('far'), {
      code: 'E_FAR',
      status: 503,
      headers: { a: ['b'] },
      at: new Date(1),
    })
    const got = through(error)
    expect(got).toBeInstanceOf(RangeError)
    expect([got.message, got.stack, Object.keys(got)]).toEqual([error.message, error.stack, Object.keys(error)])
    expect({ ...got }).toEqual({ ...error })
    expect(Object.getOwnPropertyDescriptor(got, 'stack')!.enumerable).toBe(false)
  })

  it('arrives with its cause, and the cause of that, to any depth', () => {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    let error = new Error('deepest', { cause: { reason: ['plain'] } })
    for (let i = 0; i < DEPTH; i++) error = new Error(`${i}`, { cause: error })
    Error.stackTraceLimit = stackTraceLimit
    let got = through(error)
    let depth = 0
    for (; got.cause instanceof Error; got = got.cause) depth++
    expect([depth, got.message, got.cause]).toEqual([DEPTH, 'deepest', { reason: ['plain'] }])
    expect(Object.hasOwn(through(new Error('x', { cause: undefined })), 'cause')).toBe(true)
    expect(Object.hasOwn(through(new Error('x')), 'cause')).toBe(false)
  })

  it('arrives with its list of errors', () => {
    const got = through(new AggregateError([new TypeError('one'), 'two'], 'many', { cause: 3 }))
    expect(got).toBeInstanceOf(AggregateError)
    expect([got.message, got.cause, got.errors.length, got.errors[1]]).toEqual(['many', 3, 2, 'two'])
    expect([got.errors[0] instanceof TypeError, got.errors[0].message]).toEqual([true, 'one'])
    expect(Object.keys(got)).toEqual([])
  })

  it('arrives as the built-in class that its class extends, with its own name', () => {
    class FarError extends RangeError {
      override name = 'FarError'
      readonly distance: number
      constructor(distance: number) {
        super(`${distance} is too far`)
        this.distance = distance
      }
    }
    const got = through(new FarError(7))
    expect([got instanceof RangeError, got.name, got.message, got.distance]).toEqual([
      true,
      'FarError',
      '7 is too far',
      7,
    ])
    const named = through(Object.defineProperty(new Error('named'), 'name', { value: 'Named' }))
    expect([named.name, Object.keys(named)]).toEqual(['Named', []])
  })

  it('that is a DOMException arrives as one', () => {
    const got = through(new DOMException('stopped', 'AbortError'))
    expect(got).toBeInstanceOf(DOMException)
    expect([got.name, got.message, got.code]).toEqual(['AbortError', 'stopped', 20])
    const { reason } = AbortSignal.abort()
    expect([through(reason) instanceof DOMException, through(reason).name]).toEqual([true, 'AbortError'])
  })

  it('that is a ShareError arrives as one, with its fields', () => {
    const info = { segment: 'seg', syscall: 'mmap', errno: 12, wantedBytes: 10, freeBytes: 5, cause: new Error('why') }
    const error = new ShareError('ENOMEM', 'there is no memory', info)
    const got = through(error)
    expect([ShareError, OwnShareError]).toContain(got.constructor)
    expect(got.message).toBe(error.message)
    expect({ ...got }).toEqual({ ...error })
    expect((got.cause as Error).message).toBe('why')
  })

  it('of node:assert arrives with the compared values', () => {
    const got = through(new AssertionError({ actual: { a: 1 }, expected: { a: 2 }, operator: 'deepEqual' }))
    expect(got).toMatchObject({ code: 'ERR_ASSERTION', actual: { a: 1 }, expected: { a: 2 }, operator: 'deepEqual' })
  })

  it('of another realm arrives as an error of this realm', () => {
    const realm = createContext()
    const got = through(
      runInContext(
        'Object.assign(new RangeError("far", { cause: new TypeError("near") }), { extra: new Map([[1, new EvalError("deep")]]) })',
        realm,
      ) as RangeError & { extra: Map<number, Error> },
    )
    expect([got instanceof RangeError, (got.cause as Error).constructor]).toEqual([true, TypeError])
    expect(got.extra.get(1)).toBeInstanceOf(EvalError)
  })

  it('may contain itself, and others that contain it', () => {
    const first = new Error('first') as Error & { self: unknown; list: unknown[] }
    const second = new Error('second', { cause: first })
    first.cause = second
    first.self = { deep: [first] }
    first.list = [second, new Map([[second, first]])]
    const got = through({ first, again: first })
    expect(got.first).toBe(got.again)
    expect((got.first.cause as Error).cause).toBe(got.first)
    expect(got.first.self).toEqual({ deep: [got.first] })
    expect((got.first.list[1] as Map<unknown, unknown>).get(got.first.list[0])).toBe(got.first)
    const holder: { error?: Error } = {}
    holder.error = new Error('held', { cause: holder })
    const gotHolder = through(holder)
    expect(gotHolder.error!.cause).toBe(gotHolder)
  })

  it('arrives with texts instead of properties that cannot be encoded', () => {
    using closed = new Value('i')
    closed.close()
    const unsayable = {
      toString: undefined,
      [Symbol.for('nodejs.util.inspect.custom')]: () => {
        throw new Error('no')
      },
      f() {},
    }
    const inner = { f() {} }
    const error = Object.assign(new Error('all of it \udc00', { cause: () => 1 }), {
      fn: function work() {},
      symbol: Symbol('s'),
      promise: Promise.resolve(1),
      deep: { list: [new WeakMap()] },
      again: inner,
      andAgain: { inner },
      text: 'half \ud800',
      'key \ud800': 1,
      closed,
      unsayable,
      kept: 1,
    })
    Object.defineProperty(error, 'thrower', {
      enumerable: true,
      get: () => {
        throw new Error('thrown by a getter')
      },
    })
    const got = through(error) as unknown as Record<string, unknown> & Error
    expect(got.message).toBe('all of it \ufffd')
    expect(got.cause).toBe('[Function: cause]')
    expect(got).toMatchObject({
      fn: '[Function: work]',
      symbol: 'Symbol(s)',
      promise: 'Promise { 1 }',
      again: '{ f: [Function: f] }',
      text: 'half \ufffd',
      'key \ufffd': 1,
      unsayable: 'a value that cannot be shown',
      kept: 1,
      thrower: expect.stringContaining('thrown by a getter'),
    })
    expect(got.deep).toEqual(expect.stringContaining('WeakMap'))
    expect(got.andAgain).toEqual(expect.stringContaining('inner'))
    expect(typeof got.closed).toBe('string')
  })

  it('arrives with any values in its fields', () => {
    for (const name of ['toString', 'constructor', '__proto__']) {
      const got = through(Object.assign(new Error('odd'), { name }))
      expect([got instanceof Error, got.name, got.message]).toEqual([true, name, 'odd'])
    }
    const odd = Object.assign(new AggregateError([], 'many'), {
      errors: 5,
      message: { a: 1 },
      stack: 7,
      name: undefined,
    })
    expect(through(odd)).toMatchObject({ errors: 5 })
    const shown = through(Object.defineProperty(new Error('x'), '__proto__', { value: 1, enumerable: true }))
    expect([Object.hasOwn(shown, '__proto__'), shown instanceof Error]).toEqual([true, true])
  })

  it('arrives with any plain properties', () => {
    const properties = fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.string(), fc.array(fc.boolean())), {
      noNullPrototype: true,
    })
    const isFree = (key: string) => !['stack', 'message', 'name', 'cause', 'errors', '__proto__'].includes(key)
    fc.assert(
      fc.property(properties, (given) => {
        const own = Object.fromEntries(Object.entries(given).filter(([key]) => isFree(key)))
        expect({ ...through(Object.assign(new Error('e'), own)) }).toEqual(own)
      }),
    )
  })
})

it('a shared object in an error arrives attached through a queue', () => {
  using queue = new Queue<Error & { value: Value<'i'> }>()
  using value = new Value('i', 7)
  queue.putSync(Object.assign(new Error('with a value'), { value }))
  using got = queue.getSync().value
  got.add(1)
  expect(value.value).toBe(8)
})

describe('a value that the function of a process throws', () => {
  const through = (thrown: unknown) => decodeThrown(encodeThrown(thrown))

  it.each([['a text'], [7], [null], [undefined], [{ reason: [1n] }], [new Map([[1, 2]])]])(
    'arrives unchanged: %s',
    (thrown) => {
      expect(through(thrown)).toEqual(thrown)
    },
  )

  it('arrives as an error with its text if it cannot be encoded', () => {
    for (const [thrown, text] of [
      [Symbol('s'), 'Symbol(s)'],
      [() => 1, '[Function (anonymous)]'],
      [{ f() {} }, '{ f: [Function: f] }'],
    ] as const) {
      expect(through(thrown)).toEqual(new Error(text))
    }
  })

  it('has texts instead of shared objects, which may not exist when the other side attaches', () => {
    using lock = new Lock()
    const got = through(Object.assign(new Error('e'), { lock })) as Error & { lock: unknown }
    expect(got.lock).toEqual(expect.stringContaining('ock'))
    expect(through({ lock })).toBeInstanceOf(Error)
  })

  it('is described even if its properties throw', () => {
    const refuse = () => {
      throw new Error('refused')
    }
    const hostile = new Proxy(new Error('x'), { get: refuse, ownKeys: refuse, getPrototypeOf: refuse, has: refuse })
    expect(through(hostile)).toBeInstanceOf(Error)
    const nameless = Object.defineProperty(new Error('nameless'), 'name', { get: refuse })
    expect(through(nameless)).toBeInstanceOf(Error)
  })
})
