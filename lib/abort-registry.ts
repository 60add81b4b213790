/**
 * The callbacks to call when an AbortSignal aborts. Thousands of waits may use one signal, such as the "shut down" of a server.
 * So each signal has one listener for all of its waits. With one listener for each wait, the signal would search all of them to
 * remove one, and Node would warn of a leak from the eleventh on.
 */

interface Registry {
  readonly callbacks: Set<() => void>
  readonly listener: () => void
}

const registries = new WeakMap<AbortSignal, Registry>()

/**
 * Calls `callback` once when the signal aborts. Several callbacks are called in the order in which they were added.
 * @param callback - a different function for each call
 */
export function onAbort(signal: AbortSignal, callback: () => void): void {
  let registry = registries.get(signal)
  if (registry === undefined) {
    registry = makeRegistry(signal)
    registries.set(signal, registry)
    signal.addEventListener('abort', registry.listener, { once: true })
  }
  registry.callbacks.add(callback)
}

/** Undoes {@link onAbort}. Removing the last callback also removes the listener. */
export function offAbort(signal: AbortSignal, callback: () => void): void {
  const registry = registries.get(signal)
  if (registry === undefined) return
  registry.callbacks.delete(callback)
  if (registry.callbacks.size > 0) return
  registries.delete(signal)
  signal.removeEventListener('abort', registry.listener)
}

function makeRegistry(signal: AbortSignal): Registry {
  const callbacks = new Set<() => void>()
  const listener = () => {
    for (const callback of callbacks) callback() // skips a callback that an earlier one has removed
    registries.delete(signal)
  }
  return { callbacks, listener }
}
