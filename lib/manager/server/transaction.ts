/** Several operations in one step: all are carried out before any other request is served, or none if one fails. */
import { typeError, valueError } from '../../validate.ts'
import { journal } from './journal.ts'
import { Stopwatch } from './limits.ts'
import type { Method } from './managed-type.ts'
import { Referent } from './referent.ts'
import type { Request } from './request.ts'

/** Finds a method for the client of the transaction. */
export type MethodOf = (referent: Referent, name: string) => Method

type Operation = readonly [target: Referent, method: string, ...args: unknown[]]

/**
 * Runs `operations` and returns their results. @throws the error of the first operation that fails; all operations before it are undone.
 */
export function runTransaction(request: Request, methodOf: MethodOf, operations: unknown): unknown[] {
  if (!Array.isArray(operations)) throw typeError('operations', 'an array', operations)
  const checked = operations.map((operation, index) => checkOperation(operation, index))
  const watch = new Stopwatch()
  return journal.transact(() =>
    checked.map(([referent, method, ...args]) => {
      watch.look()
      return methodOf(referent, method)(referent.object, request, ...args)
    }),
  )
}

function checkOperation(operation: unknown, index: number): Operation {
  if (!Array.isArray(operation) || operation.length < 2) {
    throw typeError(`operations[${index}]`, 'an array [proxy, method, ...args]', operation)
  }
  const [referent, method] = operation
  if (!(referent instanceof Referent)) throw typeError(`operations[${index}][0]`, 'a managed object', referent)
  const { name, transactional } = referent.type
  if (transactional?.has(method) !== true) {
    const allowed = transactional === undefined ? 'nothing' : [...transactional].join(', ')
    throw valueError(`operations[${index}][1]`, `a method that a transaction allows for ${name} (${allowed})`, method)
  }
  return operation as unknown as Operation
}
