/** The proxies of what holds values. */
export {}
