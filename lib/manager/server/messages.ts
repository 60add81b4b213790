/** The messages between a manager and the server process that it has started, on the IPC channel that Node makes. */
import type { ManagerAddress } from '../address.ts'
import type { RegisterOptions } from './registered-type.ts'
import type { ManagerServeOptions } from './server.ts'

export type ToServer =
  | { readonly procshare: 'serve'; readonly options: ManagerServeOptions }
  | {
      readonly procshare: 'register'
      readonly request: number
      readonly name: string
      readonly module: string
      readonly options: RegisterOptions | undefined
    }
  | { readonly procshare: 'shutdown' }

export type FromServerProcess =
  | { readonly procshare: 'listening'; readonly address: ManagerAddress }
  | { readonly procshare: 'failed'; readonly thrown: Uint8Array }
  | { readonly procshare: 'registered'; readonly request: number; readonly thrown?: Uint8Array }
