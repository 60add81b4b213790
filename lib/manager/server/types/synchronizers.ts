/** The types that clients wait for. */
import type { ManagedType } from '../managed-type.ts'

export const synchronizerTypes: readonly ManagedType[] = []
