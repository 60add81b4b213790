/**
 * The modules that this package has Node run in processes and workers of its own. This module is at the top of lib/ because what it
 * is built into is at the top of dist/: from there the paths are the same.
 */
import { fileURLToPath } from 'node:url'

/** Where this copy of the package is. */
export const PACKAGE_PATH = fileURLToPath(new URL('..', import.meta.url))
/** The entry of a `Process`. */
export const CHILD_MAIN = fileURLToPath(new URL('./process/child-main.js', import.meta.url))
/** The entry of a manager's server. */
export const SERVER_MAIN = fileURLToPath(new URL('./manager/server/server-main.js', import.meta.url))
/** The worker of blocking clients from other machines. */
export const RELAY_MAIN = new URL('./manager/client/relay-main.js', import.meta.url)
