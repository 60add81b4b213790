/** Names of segments: checks names, and makes those of anonymous objects. */
import { randomUUID } from 'node:crypto'
import { native } from '../native.ts'
import { assertString, valueError } from '../validate.ts'

/** Asserts that `value` can name a segment: 1 to 255 bytes of UTF-8, no slash, no NUL, not "." or "..". */
export function assertSegmentName(value: unknown): asserts value is string {
  assertString('name', value)
  const { maxNameBytes } = native.layout
  const byteLength = Buffer.byteLength(value)
  if (byteLength < 1 || byteLength > maxNameBytes) {
    throw valueError('name', `a string of 1 to ${maxNameBytes} bytes (it has ${byteLength})`, value)
  }
  if (/[/\0]/.test(value) || value === '.' || value === '..' || !value.isWellFormed()) {
    throw valueError('name', 'well-formed Unicode without "/" and NUL, and other than "." and ".."', value)
  }
}

/** Asserts that `value` is a name, and returns it. For calls in which a missing name must not mean an anonymous object. */
export function assertedName(value: unknown): string {
  assertSegmentName(value)
  return value
}

/** A name that no other object has. */
export function anonymousName(): string {
  return `procshare-${randomUUID()}`
}
