/** The options of `node` that a child process inherits. */

/**
 * Options that name the program of this process or its debugger. If they were inherited, they would run another program than the entry
 * (`--eval`, `--test`, `--run`), misread the entry (`--input-type`), never end (`--watch`), stop it, or take the port of this process
 * (`--inspect-brk`, `--inspect`).
 */
const NOT_INHERITED = [
  /^--(eval|print|check|interactive|input-type|run|debug-port|entry-url)$/,
  /^--(inspect|watch|test)(-.*)?$/,
  /^-(e|p|pe|c|i)$/,
]

/** The options, as in `process.execArgv`, that the children of a process inherit. */
export function inheritedOptions(options: readonly string[]): string[] {
  const inherited: string[] = []
  let isInherited = true
  for (const option of options) {
    // Node takes no value that looks like an option, so what does not look like one is the value of the option before it.
    if (/^-./.test(option)) {
      const name = option.split('=', 1)[0]!.replaceAll('_', '-')
      isInherited = !NOT_INHERITED.some((pattern) => pattern.test(name))
    }
    if (isInherited) inherited.push(option)
  }
  return inherited
}
