/** The proxies of what clients wait for. */
export {}
