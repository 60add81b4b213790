// The imports of a Mach-O library, for a machine without the tools of macOS.

import { readFileSync } from 'node:fs'

const MAGIC_64 = 0xfeedfacf
const LC_SYMTAB = 0x2
const LC_LOAD_DYLIB = 0xc
const LC_LOAD_WEAK_DYLIB = 0x80000018
const HEADER_BYTES = 32
const SYMBOL_BYTES = 16
const N_STAB = 0xe0
const N_TYPE_AND_EXTERNAL = 0x0f
const UNDEFINED_EXTERNAL = 0x01
const DYNAMIC_LOOKUP = 0xfe

export function machoImports(file) {
  const bytes = readFileSync(file)
  if (bytes.readUInt32LE(0) !== MAGIC_64) throw new Error(`${file} is no 64-bit Mach-O file`)
  const libraries = []
  const symbols = []
  let at = HEADER_BYTES
  for (let left = bytes.readUInt32LE(16); left > 0; left--) {
    const command = bytes.readUInt32LE(at)
    if (command === LC_LOAD_DYLIB || command === LC_LOAD_WEAK_DYLIB)
      libraries.push(text(at + bytes.readUInt32LE(at + 8)))
    if (command === LC_SYMTAB) readSymbols(at)
    at += bytes.readUInt32LE(at + 4)
  }
  return { libraries, symbols }

  function readSymbols(command) {
    const [first, count, strings] = [8, 12, 16].map((offset) => bytes.readUInt32LE(command + offset))
    for (let symbol = first; symbol < first + count * SYMBOL_BYTES; symbol += SYMBOL_BYTES) {
      const type = bytes[symbol + 4]
      if ((type & N_STAB) !== 0 || (type & N_TYPE_AND_EXTERNAL) !== UNDEFINED_EXTERNAL) continue
      // The high byte of the description is the number of the library that provides the symbol.
      const library = bytes.readUInt16LE(symbol + 6) >> 8
      const name = text(strings + bytes.readUInt32LE(symbol)).replace(/^_/, '')
      symbols.push({ name, isOfSystem: library !== DYNAMIC_LOOKUP && library > 0 })
    }
  }

  function text(start) {
    return bytes.toString('utf8', start, bytes.indexOf(0, start))
  }
}
