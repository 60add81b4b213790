// Checks what npm and its users need in package.json before a release is published. Ends with code 1 if something is missing.

import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const tag = process.env.GITHUB_REF_NAME
const faults = ['repository', 'homepage', 'bugs']
  .filter((field) => manifest[field] === undefined)
  .map((field) => `package.json has no "${field}"`)
if (tag !== undefined && tag !== `v${manifest.version}`) {
  faults.push(`the tag is ${tag}, and package.json has version ${manifest.version}`)
}

for (const fault of faults) console.error(fault)
process.exitCode = faults.length === 0 ? 0 : 1
