/** Types of users: classes and functions of modules that the server imports. */
import { managerError } from '../../errors/manager-messages.ts'
import { assertString, takeOptions, typeError, valueError } from '../../validate.ts'
import { RESERVED } from '../contract/reserved.ts'
import { isMethodName } from '../wire/messages.ts'
import type { ManagedType, Method } from './managed-type.ts'
import { Referent, type ReferentTable } from './referent.ts'
import type { Request } from './request.ts'

/** The keys of {@link RegisterOptions}. */
export const REGISTER_OPTIONS = ['export', 'exposed', 'returns'] as const

/** The options of the registration of a user's own type. */
export interface RegisterOptions {
  /** The export of the module: a class, or a function that returns the object or a promise of it. @defaultValue `'default'` */
  readonly export?: string
  /**
   * The methods that clients may call.
   * @defaultValue the methods of the class itself, except names that begin with `_`; required for a function
   */
  readonly exposed?: readonly string[]
  /** Methods whose result becomes a managed object of that type, for which the caller gets a proxy: `{ children: 'list' }`. */
  readonly returns?: Readonly<Record<string, string>>
}

/** The types and objects of a server. */
interface Registry {
  readonly types: ReadonlyMap<string, ManagedType>
  readonly referents: ReferentTable
}

type Maker = (...args: unknown[]) => unknown

/** Imports the module. @throws `TypeError` for an export that cannot be registered; the error of the import. */
export async function registeredType(
  server: Registry,
  name: string,
  url: unknown,
  options: unknown,
): Promise<ManagedType> {
  assertString('module', url)
  const given = takeOptions('options', options as RegisterOptions | undefined, REGISTER_OPTIONS)
  const { export: exportName = 'default', exposed, returns = {} } = given
  assertString('options.export', exportName)
  const module: Record<string, unknown> = await import(url)
  const made = Object.hasOwn(module, exportName) || exportName === 'default' ? module[exportName] : undefined
  if (typeof made !== 'function') {
    const found = Object.keys(module).join(', ') || 'nothing'
    throw valueError(
      'options.export',
      `the name of a class or function that ${url} exports (it exports ${found})`,
      exportName,
    )
  }
  const isClass = /^class\b/.test(Function.prototype.toString.call(made))
  const names = exposed ?? (isClass ? ownMethods(made) : undefined)
  if (names === undefined)
    throw typeError('options.exposed', 'an array of method names, which a function needs', exposed)
  const table: Record<string, Method> = Object.create(null)
  for (const method of names) table[method] = methodOf(server, name, method, returns[method])
  return {
    name,
    create: (args) =>
      (isClass
        ? new (made as unknown as new (...args: unknown[]) => object)(...args)
        : (made as Maker)(...args)) as object,
    methods: Object.freeze(table),
    attaches: true,
    exposes: Object.freeze([...names]),
    show: (object) => String((object as { toString?: unknown }).toString === undefined ? '[object]' : object),
  }
}

function ownMethods(Class: { prototype: object }): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(Class.prototype))
    .filter(([name, { value }]) => typeof value === 'function' && !isForbidden(name) && !name.startsWith('_'))
    .map(([name]) => name)
}

/** The properties of every object, and `then`, which would make the object a promise. */
function isForbidden(name: string): boolean {
  return name in Object.prototype || name === 'then'
}

/** A method of the object or of its classes, except those of `Object.prototype`. */
function methodOf(server: Registry, typeName: string, name: unknown, resultType: string | undefined): Method {
  assertString('options.exposed[]', name)
  if (isForbidden(name)) throw valueError('options.exposed[]', 'the name of a method that not every object has', name)
  if (RESERVED.has(name)) {
    throw valueError(
      'options.exposed[]',
      `a name other than those of the methods of all proxies (${[...RESERVED].join(', ')})`,
      name,
    )
  }
  if (!isMethodName(name)) throw valueError('options.exposed[]', 'a name of 1 to 200 characters up to U+00FF', name)
  const invoke = (object: Record<string, unknown>, args: unknown[]) => {
    const fn = object[name]
    if (typeof fn === 'function') return fn.apply(object, args)
    throw managerError('ERR_NOT_EXPOSED', { type: typeName, method: name, isMissing: true })
  }
  if (resultType === undefined) return (object, _request, ...args) => invoke(object, args)
  const wrap = (value: unknown, request: Request) => {
    if (value instanceof Referent) return value
    const type = server.types.get(resultType)
    if (type === undefined) throw valueError(`options.returns.${name}`, 'the name of a registered type', resultType)
    return type.exposes === undefined
      ? Promise.resolve(type.create([value], request)).then((made) => server.referents.make(type, made))
      : server.referents.make(type, value as object)
  }
  return async (object, request, ...args) => wrap(await invoke(object, args), request)
}
