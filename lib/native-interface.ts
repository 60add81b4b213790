/** The stamp of the native interface, by scripts/check-interface.mjs. The addon that belongs to this JavaScript has the same. */
export const NATIVE_INTERFACE = 'a07163093d9b6d3f'
