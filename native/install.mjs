// Runs on `npm install procshare`. Does nothing when the package contains a binary that loads here; otherwise builds one. When
// the build fails, prints the reason and a remedy, in at most one screen.

import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'

// Shows the output of the build as it comes when npm was asked for that; otherwise shows a few lines of it if the build fails.
const isVerbose = ['verbose', 'silly'].includes(process.env.npm_config_loglevel)
const MAX_LINES = 6
const MAX_COLUMNS = 110

const program = createRequire(import.meta.url).resolve('node-gyp-build/bin.js')
const { status, stdout, stderr, error } = spawnSync(process.execPath, [program], {
  encoding: 'utf8',
  stdio: isVerbose ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  maxBuffer: 2 ** 28,
})
if (status !== 0) {
  console.error(`
procshare: there is no binary for ${process.platform}-${process.arch} in this package, and it could not be built.

${excerptOf(`${stdout ?? ''}${stderr ?? ''}${error ?? ''}`)}

Building needs a C++17 compiler, make and Python 3:

  Debian, Ubuntu    apt-get install g++ make python3
  Alpine            apk add g++ make python3
  Fedora, RHEL      dnf install gcc-c++ make python3
  macOS             xcode-select --install
  Windows           the "Desktop development with C++" workload of Visual Studio, and Python 3

Then build it, in your project:

  npm               npm rebuild procshare
  pnpm              pnpm approve-builds, then pnpm rebuild procshare
  Yarn              yarn rebuild procshare      (Yarn 1: npm rebuild procshare)
  Bun               bun pm trust procshare

With --ignore-scripts nothing is built while installing; run one of these commands afterwards. To see all of the output, add
--loglevel=verbose to the command of npm.
`)
  process.exitCode = 1
}

/** The error lines of the compiler, of make or of node-gyp; the last lines when there are none. */
function excerptOf(output) {
  const lines = output.split(/\r?\n/).filter((line) => line.trim() !== '')
  const errors = lines.filter((line) => /: (fatal )?error[: ]|^make: |ERR! stack Error/.test(line))
  return (errors.length > 0 ? [...new Set(errors)].slice(0, MAX_LINES) : lines.slice(-MAX_LINES))
    .map((line) => `  ${line.slice(0, MAX_COLUMNS)}`)
    .join('\n')
}
