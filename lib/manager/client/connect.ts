/** Connecting to a server that may not be there yet. */
import { offAbort, onAbort } from '../../abort-registry.ts'
import { managerError } from '../../errors/manager-messages.ts'
import { hasCode } from '../../errors/share-error.ts'
import type { WaitOptions } from '../../sync/wait-options.ts'
import { retry } from '../../when-available.ts'
import { formatAddress, type ManagerAddress } from '../address.ts'
import { Connection, type Credentials } from './connection.ts'

/**
 * Connects to the server at an address. With a `timeoutMs`, also waits until a server listens there; without one, a server must already
 * listen.
 * @param credentials - called before each attempt, because a key in the directory of the socket appears together with the socket
 */
export async function connect(
  address: ManagerAddress,
  credentials: () => Credentials,
  options: WaitOptions,
): Promise<Connection> {
  const { timeoutMs, signal } = options
  signal?.throwIfAborted()
  if (timeoutMs === undefined) return await attempt(address, credentials(), undefined, signal)
  const isNotYet = (error: unknown) =>
    hasCode(error, 'ENOENT') ||
    hasCode(error, 'ECONNREFUSED') ||
    (typeof address === 'string' && hasCode(error, 'ERR_NO_KEY'))
  let last: unknown
  const once = async (leftMs: number) => {
    try {
      return await attempt(address, credentials(), { leftMs, timeoutMs }, signal)
    } catch (error) {
      // The last attempt may have had too little time to fail with the error of the earlier ones.
      if (last !== undefined && hasCode(error, 'ERR_TIMEOUT')) throw last
      last = isNotYet(error) ? error : undefined
      throw error
    }
  }
  const timedOut = (cause: unknown) =>
    managerError('ERR_TIMEOUT', { address: formatAddress(address), timeoutMs }, { cause })
  return await retry(once, isNotYet, options, timedOut)
}

async function attempt(
  address: ManagerAddress,
  credentials: Credentials,
  time: { readonly leftMs: number; readonly timeoutMs: number } | undefined,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  const connection = new Connection(address, credentials)
  const abort = () => connection.close()
  if (signal !== undefined) onAbort(signal, abort)
  try {
    await connection.open(time?.leftMs, time?.timeoutMs)
    return connection
  } catch (error) {
    throw signal?.aborted && hasCode(error, 'ERR_CLOSED') ? signal.reason : error
  } finally {
    if (signal !== undefined) offAbort(signal, abort)
  }
}
