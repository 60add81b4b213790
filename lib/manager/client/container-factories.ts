/** The methods of managers that make containers: list, dict, set, Namespace, Value and Array. */
import { findScalar } from '../../scalars/scalar.ts'
import type { ElementsOf, InputOf, TypeName } from '../../scalars/types.ts'
import { FactoryBase, type NameOptions } from './factory-base.ts'
import { type ArrayProxy, type BlockingArray, sendableElements } from './proxies/array.ts'
import { sendableEntries, sendableValues } from './proxies/collections.ts'
import type { BlockingDict, DictProxy } from './proxies/dict.ts'
import type { BlockingList, ListProxy } from './proxies/list.ts'
import type { BlockingNamespace, NamespaceProxy } from './proxies/namespace.ts'
import type { BlockingSet, SetProxy } from './proxies/set.ts'
import type { BlockingValue, ValueProxy } from './proxies/value.ts'

/** How a type is called in a message. What is no type here is sent by its name: the server may know it, and otherwise says what is wrong. */
function sendableType(type: unknown): unknown {
  return findScalar(type)?.code ?? (typeof type === 'function' ? type.name : type)
}

export abstract class ContainerFactories extends FactoryBase {
  /**
   * The list of that name, which is empty if this makes it; without a name a new one.
   * @throws {@link ShareError} `ERR_KIND` when the name is that of something else.
   */
  list<T>(name?: string): Promise<ListProxy<T>>
  /** A list of these values, or the one of the name in `options`. */
  list<T>(values: Iterable<T> | ListProxy<T> | SetProxy<T>, options?: NameOptions): Promise<ListProxy<T>>
  list<T>(values?: unknown, options?: NameOptions): Promise<ListProxy<T>> {
    return this.#container('list', values, options, sendableValues)
  }

  /**
   * The dict of that name, which is empty if this makes it; without a name a new one.
   * @throws {@link ShareError} `ERR_KIND` when the name is that of something else.
   */
  dict<K, V>(name?: string): Promise<DictProxy<K, V>>
  /** A dict of these entries, or the one of the name in `options`. */
  dict<K, V>(entries: Iterable<readonly [K, V]> | DictProxy<K, V>, options?: NameOptions): Promise<DictProxy<K, V>>
  /** A dict of the properties of an object, or the one of the name in `options`. */
  dict<K extends string, V>(entries: Readonly<Record<string, V>>, options?: NameOptions): Promise<DictProxy<K, V>>
  dict<K, V>(entries?: unknown, options?: NameOptions): Promise<DictProxy<K, V>> {
    return this.#container('dict', entries, options, sendableEntries)
  }

  /**
   * The set of that name, which is empty if this makes it; without a name a new one.
   * @throws {@link ShareError} `ERR_KIND` when the name is that of something else.
   */
  set<T>(name?: string): Promise<SetProxy<T>>
  /** A set of these values, or the one of the name in `options`. */
  set<T>(values: Iterable<T> | ListProxy<T> | SetProxy<T>, options?: NameOptions): Promise<SetProxy<T>>
  set<T>(values?: unknown, options?: NameOptions): Promise<SetProxy<T>> {
    return this.#container('set', values, options, sendableValues)
  }

  /**
   * The namespace of that name, which is empty if this makes it; without a name a new one.
   * @throws {@link ShareError} `ERR_KIND` when the name is that of something else.
   */
  Namespace<F extends object>(name?: string): Promise<NamespaceProxy<F>>
  /** A namespace of these values, or the one of the name in `options`. */
  Namespace<F extends object>(values: F, options?: NameOptions): Promise<NamespaceProxy<F>>
  Namespace<F extends object>(values?: unknown, options?: NameOptions): Promise<NamespaceProxy<F>> {
    return this.#container('Namespace', values, options, sendableEntries)
  }

  /**
   * A scalar of a type ({@link TypeName}).
   * @throws `TypeError` that says what to write for any other type; `TypeError`, `RangeError` for a value that does not fit.
   */
  Value<T extends TypeName>(type: T, initial?: InputOf<T>, options?: NameOptions): Promise<ValueProxy<T>> {
    return this.make('Value', [sendableType(type), initial], options)
  }

  /**
   * Scalars of a type ({@link TypeName}): as many as `lengthOrValues` says, all zero, or these.
   * @throws `TypeError` that says what to write for any other type; `TypeError`, `RangeError` for an element that does not fit.
   */
  Array<T extends TypeName>(
    type: T,
    lengthOrValues: number | ElementsOf<T>,
    options?: NameOptions,
  ): Promise<ArrayProxy<T>> {
    return this.make('Array', [sendableType(type), sendableElements(lengthOrValues)], options)
  }

  #container<P>(
    typeName: string,
    given: unknown,
    options: NameOptions | undefined,
    sendable: (given: unknown) => unknown,
  ): Promise<P> {
    if (typeof given === 'string') return this.make(typeName, [], { ...options, name: given })
    return this.make(typeName, given === undefined ? [] : [sendable(given)], options)
  }
}

/** What makes containers in the blocking form: the same methods, whose results are there at once. */
export interface BlockingContainerFactories {
  /** {@link Manager.list}, blocking the thread. */
  list<T>(name?: string): BlockingList<T>
  list<T>(values: Iterable<T> | ListProxy<T> | SetProxy<T>, options?: NameOptions): BlockingList<T>
  /** {@link Manager.dict}, blocking the thread. */
  dict<K, V>(name?: string): BlockingDict<K, V>
  dict<K, V>(entries: Iterable<readonly [K, V]> | DictProxy<K, V>, options?: NameOptions): BlockingDict<K, V>
  dict<K extends string, V>(entries: Readonly<Record<string, V>>, options?: NameOptions): BlockingDict<K, V>
  /** {@link Manager.set}, blocking the thread. */
  set<T>(name?: string): BlockingSet<T>
  set<T>(values: Iterable<T> | ListProxy<T> | SetProxy<T>, options?: NameOptions): BlockingSet<T>
  /** {@link Manager.Namespace}, blocking the thread. */
  Namespace<F extends object>(name?: string): BlockingNamespace<F>
  Namespace<F extends object>(values: F, options?: NameOptions): BlockingNamespace<F>
  /** {@link Manager.Value}, blocking the thread. */
  Value<T extends TypeName>(type: T, initial?: InputOf<T>, options?: NameOptions): BlockingValue<T>
  /** {@link Manager.Array}, blocking the thread. */
  Array<T extends TypeName>(type: T, lengthOrValues: number | ElementsOf<T>, options?: NameOptions): BlockingArray<T>
}
