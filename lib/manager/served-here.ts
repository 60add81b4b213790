/** The servers that run in this thread: a blocking call to one of them could never be answered. */
const served = new Set<string>()

export function noteServed(serverId: string): void {
  served.add(serverId)
}

export function noteNotServed(serverId: string): void {
  served.delete(serverId)
}

export function isServedHere(serverId: string | undefined): boolean {
  return serverId !== undefined && served.has(serverId)
}
