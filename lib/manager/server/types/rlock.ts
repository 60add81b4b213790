/** Managed locks that their owner may take again. */
import { typeOfLocks } from './lock.ts'

export const rlockType = typeOfLocks('RLock', true)
