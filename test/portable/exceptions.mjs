// What does not work, or does not apply, on a runtime: which tests fail there and why. They run all the same, and one that
// passes is reported, so that the list does not outlive its reasons; `skip` is for those that crash, hang or take too long.

/** @type {Record<string, { file: string, test?: string | RegExp, reason: string, skip?: true }[]>} */
export const EXCEPTIONS = {}

/** What is known about a test, or, without a name, about a whole file. */
export function exceptionFor(runtime, file, name) {
  return EXCEPTIONS[runtime]?.find((exception) => {
    if (exception.file !== file) return false
    if (name === undefined || exception.test === undefined) return exception.test === undefined
    return typeof exception.test === 'string' ? name.startsWith(exception.test) : exception.test.test(name)
  })
}
