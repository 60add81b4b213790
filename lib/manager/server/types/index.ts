/** The types that every server knows. */
import type { ManagedType } from '../managed-type.ts'
import { containerTypes } from './containers.ts'
import { synchronizerTypes } from './synchronizers.ts'

export const builtInTypes: readonly ManagedType[] = [...containerTypes, ...synchronizerTypes]
