export const BLOCK_BYTES: number
export const CELL_BYTES: number
export const FIELDS: Readonly<Record<string, number>> & { readonly cellsOffset: number; readonly cellsBytes: number }
export function pathOf(name: string): string
export function sign(block: Buffer, description: Buffer): void
export function readSegment(name: string): {
  readonly bytes: Buffer
  readonly block: Buffer
  readonly description: Buffer
  readonly descriptionOffset: number
}
export function forgeSegment(
  name: string,
  model: Buffer,
  contents: { readonly description: string; readonly payloadBytes?: number; readonly cells?: Buffer },
): void
