/**
 * What is to happen when an AbortSignal aborts. Thousands of waits may have one signal (a server's "shut down"), so there is one
 * listener per signal, however many of them: each listener of its own would cost the target a search when it is removed, and
 * more than ten make Node warn of a leak.
 */

interface Registry {
  readonly callbacks: Set<() => void>
  readonly listener: () => void
}

const registries = new WeakMap<AbortSignal, Registry>()

/**
 * Calls `callback` once when the signal aborts; of several, in the order in which they came.
 * @param callback - a function of its own for each call
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

/** Undoes {@link onAbort}; the last one leaves no listener behind. */
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
    for (const callback of callbacks) callback() // not one that an earlier one has taken off
    registries.delete(signal)
  }
  return { callbacks, listener }
}
