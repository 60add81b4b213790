/** The method of managers that makes a container: it takes a name, or values and options. */
import type { Make, NameOptions } from './proxy-type.ts'

export function containerMethod(make: Make<never>, sendable: <T>(given: T) => T) {
  return (given?: unknown, options?: NameOptions): never =>
    (typeof given === 'string'
      ? make([] as never, { ...options, name: given })
      : make((given === undefined ? [] : [sendable(given)]) as never, options)) as never
}
