// The stamp by which lib/native.ts recognises the addon that belongs to it: a hash of what lib/native.ts says about the addon, without
// comments. It stands in lib/native-interface.ts and native/js/interface.h. Ends with code 1 when it is out of date.
//
//   node scripts/check-interface.mjs [--write]        --write: puts it right; the addon has to be built again then

import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

process.chdir(path.join(import.meta.dirname, '..'))

const text = readFileSync('lib/native.ts', 'utf8')
const [declarations, loader] = text.split('\nfunction load(')
if (loader === undefined) throw new Error('lib/native.ts has no function load(), before which the interface stands')
const relevant = declarations.replace(/^import .*$/gm, '').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
const stamp = createHash('sha256').update(relevant.replace(/\s+/g, '')).digest('hex').slice(0, 16)

const FILES = {
  'lib/native-interface.ts': `/** The stamp of the native interface, by scripts/check-interface.mjs. The addon that belongs to this JavaScript has the same. */
export const NATIVE_INTERFACE = '${stamp}'
`,
  'native/js/interface.h': `// The stamp of the native interface, by scripts/check-interface.mjs. The JavaScript that belongs to this addon has the same.
#pragma once

namespace procshare {

constexpr char kNativeInterface[] = "${stamp}";

}  // namespace procshare
`,
}
for (const [file, expected] of Object.entries(FILES)) {
  if (process.argv.includes('--write')) {
    writeFileSync(file, expected)
  } else if (readFileSync(file, 'utf8') !== expected) {
    console.error(
      `${file}: the interface of lib/native.ts has changed; run \`npm run format\`, then build the addon again`,
    )
    process.exitCode = 1
  }
}
