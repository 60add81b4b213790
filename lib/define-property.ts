/**
 * `Object.defineProperty` for programs whose `Object.prototype` has additional properties. A descriptor that is a plain object
 * inherits them, and an inherited `value` or `get` makes an accessor or a value invalid.
 */

/** A descriptor that inherits nothing. */
export function ownDescriptor(descriptor: PropertyDescriptor): PropertyDescriptor {
  return Object.assign(Object.create(null) as PropertyDescriptor, descriptor)
}

export function defineProperty<T extends object>(object: T, key: PropertyKey, descriptor: PropertyDescriptor): T {
  return Object.defineProperty(object, key, ownDescriptor(descriptor))
}
