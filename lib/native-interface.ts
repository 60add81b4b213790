/** The stamp of the native interface, by scripts/check-interface.mjs. The addon that belongs to this JavaScript has the same. */
export const NATIVE_INTERFACE = '5e545d52fc2d5469'
