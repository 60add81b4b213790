import type { Outcome, Step } from './driver.ts'

export class Actor {
  constructor(exit: (code: number) => void)
  whoAreYou(): { pid: number; threadId: number }
  perform(step: Step): Promise<Outcome>
}

export function commandsOf(actor: Actor): Record<string, (...params: unknown[]) => unknown>
