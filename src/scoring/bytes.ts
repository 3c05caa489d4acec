const encoder = new TextEncoder()

/** UTF-8. */
export function text (value: string): Uint8Array {
  return encoder.encode(value)
}

/** Eight bytes, big-endian two's complement. */
export function int64 (value: bigint): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigInt64(0, value)

  return out
}

/** Eight bytes, big-endian; `value` is a safe integer that is not negative. */
export function uint64 (value: number): Uint8Array {
  return int64(BigInt(value))
}

/** Lexicographic order of bytes, shorter first. */
export function compare (a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)

  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) {
      return a[i] - b[i]
    }
  }

  return a.length - b.length
}

export function equal (a: Uint8Array, b: Uint8Array): boolean {
  return compare(a, b) === 0
}
