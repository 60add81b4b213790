// The log level everywhere: one command changes it in all running processes.
//
//   node log-level.mjs              a program that logs; start several
//   node log-level.mjs debug        changes the level of all of them

import { RawValue } from 'procshare'

const LEVELS = ['debug', 'info', 'warn', 'error']

function serve() {
  const level = RawValue.open('my-app-log-level', 'uint8', LEVELS.indexOf('info'))
  const log = (severity, text) => {
    if (LEVELS.indexOf(severity) >= level.value) console.log(`${severity}: ${text}`) // a read of memory, without a call
  }
  setInterval(() => {
    log('debug', 'looking for work')
    log('info', 'alive')
  }, 1_000)
}

function setLevel(severity) {
  if (!LEVELS.includes(severity)) throw new Error(`The level must be one of ${LEVELS.join(', ')}`)
  RawValue.attach('my-app-log-level', 'uint8').value = LEVELS.indexOf(severity) // ENOENT: no such program runs
}

if (process.argv[2] === undefined) serve()
else setLevel(process.argv[2])
