/** The contract of the server itself: making and finding objects, names, transactions, and reports about the server. */
import type { Managed } from './contract.ts'

/** Counters of a server: {@link Manager.stats}. */
export interface ManagerStats {
  /** Objects for which a client has a proxy, or which have a name. */
  readonly objects: number
  /** Objects that have a name. */
  readonly names: number
  /** Clients that are connected; a process has one for each form that it uses. */
  readonly clients: number
  /** Requests that were answered, and the part of them that was answered with an error. */
  readonly calls: number
  readonly failures: number
  /** Clients that were accepted so far, clients that were refused because there were too many, and clients that were cut off. */
  readonly accepted: number
  readonly refused: number
  readonly cutOff: number
  /** Microseconds within which the server serves 50% and 99% of the requests that do not wait (the next power of two), and the maximum. */
  readonly latencyUs: { readonly p50: number; readonly p99: number; readonly max: number }
  /** Memory of the server process. */
  readonly memoryBytes: number
  readonly uptimeMs: number
  readonly pid: number
}

/** An object of the server: {@link Manager.debugInfo}. */
export interface ManagedObjectInfo {
  readonly id: number
  readonly type: string
  readonly name: string | undefined
  /** How many clients have a proxy for it. */
  readonly clients: number
  /** The object as text, its first 200 characters. */
  readonly text: string
}

/** The operations of the server itself. */
export interface RootOperations {
  /** A new object of a type, or the object of that name. */
  create(type: string, args: readonly unknown[], name?: string): Managed<unknown>
  /** The number of the object of that name and type. The client gets one more reference to it. */
  find(name: string, type: string): number
  /** Removes a name; returns whether it existed. */
  unlink(name: string): boolean
  names(): string[]
  stats(): ManagerStats
  debugInfo(): ManagedObjectInfo[]
  /** An object as text. */
  show(object: Managed<unknown>): string
  /** The results of `[object, method, ...arguments]`: either all operations are carried out, or none. */
  transaction(operations: readonly (readonly unknown[])[]): unknown[]
}
