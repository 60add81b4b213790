export function namesInUse(): string[]
export function isNameInUse(name: string): boolean
