/**
 * The modules that this package runs in its own processes and workers. This module is at the top of lib/ because the file that it
 * is built into is at the top of dist/. So the relative paths are the same in both.
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
