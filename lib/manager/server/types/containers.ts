/** The types that hold values. */
import type { ManagedType } from '../managed-type.ts'
import { arrayType } from './array.ts'
import { dictType } from './dict.ts'
import { iteratorType } from './iterator.ts'
import { listType } from './list.ts'
import { namespaceType } from './namespace.ts'
import { setType } from './set.ts'
import { valueType } from './value.ts'

export const containerTypes: readonly ManagedType[] = [
  listType,
  dictType,
  setType,
  namespaceType,
  valueType,
  arrayType,
  iteratorType,
]
