/** Which options of the `node` program a process of ours gets from the one that starts it. */

/**
 * Options that say what the program of this process is, or who watches over it. Inherited, they would run something else than our
 * entry (`--eval`, `--test`, `--run`), read our entry as something that it is not (`--input-type`), never end (`--watch`), stop it or
 * take the port of this process (`--inspect-brk`, `--inspect`).
 */
const NOT_INHERITED = [
  /^--(eval|print|check|interactive|input-type|run|debug-port|entry-url)$/,
  /^--(inspect|watch|test)(-.*)?$/,
  /^-(e|p|pe|c|i)$/,
]

/** Those of the options of a process, as in `process.execArgv`, that the processes it starts are to have as well. */
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
