/** The types that hold values. */
import type { ManagedType } from '../managed-type.ts'

export const containerTypes: readonly ManagedType[] = []
