/** Messages about child processes: those of {@link Process}, and the one that runs the server of a manager. */
import { errorOf, type FieldsOf, hasMessage, type MessageTable } from './error-table.ts'
import { ShareError, type ShareErrorInfo } from './share-error.ts'

/** A child process by its name. The process that runs the server of a manager has no name. */
interface Child {
  readonly process?: string | undefined
}

function nameOf({ process }: Child): string {
  return process === undefined ? 'the server process of the manager' : `process "${process}"`
}

const PROCESS_MESSAGES = {
  EACCES: (child: Child) => `this user may not run the program of ${nameOf(child)}: check the permissions of its file`,
  EAGAIN: (child: Child) =>
    `the system cannot start ${nameOf(child)}: it has too many processes. End some, or raise the limit (ulimit -u; in a container, docker run --pids-limit)`,
  EMFILE: (child: Child) =>
    `this process has too many open files to start ${nameOf(child)}: close some objects, or raise the limit (ulimit -n)`,
  ENFILE: (child: Child) =>
    `the system has too many open files to start ${nameOf(child)}: close some objects, or raise its limit (sysctl fs.file-max)`,
  ENOENT: (child: Child) => `${nameOf(child)} cannot be started: its program or its working directory does not exist`,
  ENOMEM: (child: Child) =>
    `there is not enough memory to start ${nameOf(child)}: close some objects, or end some processes`,
  EPERM: (child: Child) => `the system does not permit this user to start ${nameOf(child)}`,
  ERR_PROCESS_FAILED: (
    fields: Child &
      (
        | { readonly why: 'threw'; readonly error: string }
        | { readonly why: 'not started'; readonly error: string }
        | { readonly why: 'ended early'; readonly exit: number | string | null }
        | { readonly why: 'not listening'; readonly timeoutMs: number }
      ),
  ) => {
    switch (fields.why) {
      case 'threw':
        return `${nameOf(fields)} failed with ${fields.error}`
      case 'not started':
        return `${nameOf(fields)} could not be started: ${fields.error}`
      case 'ended early': {
        const how = typeof fields.exit === 'string' ? `by the signal ${fields.exit}` : `with exit code ${fields.exit}`
        return `${nameOf(fields)} ended ${how} before it listened: its standard error shows the reason`
      }
      case 'not listening':
        return `${nameOf(fields)} did not listen within ${fields.timeoutMs} ms, and was ended`
    }
  },
  ERR_PROCESS_IMPORT: (child: Child) =>
    `${nameOf(child)} cannot be started while this child process is still importing its module: start it inside \`if (isMainProcess)\``,
  ERR_PROCESS_STATE: (fields: Child & { readonly why: 'already started' | 'not started' }) =>
    fields.why === 'already started'
      ? `${nameOf(fields)} was already started: create a new Process to run the function again`
      : `${nameOf(fields)} has not been started: call start() first`,
  ERR_TIMEOUT: (fields: Child & { readonly timeoutMs: number }) =>
    `${nameOf(fields)} did not end within ${fields.timeoutMs} ms`,
} satisfies MessageTable

export type ProcessErrorCode = keyof typeof PROCESS_MESSAGES
/** The fields that the message of a code needs. */
export type ProcessErrorFields<C extends ProcessErrorCode> = FieldsOf<typeof PROCESS_MESSAGES, C>

/** An error about a child process. */
export function processError<C extends ProcessErrorCode>(
  code: C,
  fields: ProcessErrorFields<C>,
  info?: ShareErrorInfo,
): ShareError {
  return errorOf(PROCESS_MESSAGES, code, fields, info)
}

/** The error for one with which the system refuses to start a process. */
export function spawnError(error: Error, process: string | undefined): ShareError {
  if (error instanceof ShareError) return error
  const { code = '', errno, syscall } = error as NodeJS.ErrnoException
  const info = { errno, syscall, cause: error }
  if (hasMessage(PROCESS_MESSAGES, code)) {
    return processError(code as 'ENOMEM', { process }, info)
  }
  return processError('ERR_PROCESS_FAILED', { process, why: 'not started', error: error.message }, info)
}
