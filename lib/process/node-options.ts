/** The options of `node` that a child process inherits. */

/**
 * Options that name the program of this process or its debugger. A child that inherited them would run a program other than the
 * entry (`--eval`, `--test`, `--run`), misread the entry (`--input-type`) or never end (`--watch`). Or it would stop at its start
 * (`--inspect-brk`), or use the port of this process (`--inspect`).
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
    // In Node, the value of an option never looks like an option. So text that does not look like one is the value of the option
    // before it.
    if (/^-./.test(option)) {
      const name = option.split('=', 1)[0]!.replaceAll('_', '-')
      isInherited = !NOT_INHERITED.some((pattern) => pattern.test(name))
    }
    if (isInherited) inherited.push(option)
  }
  return inherited
}
