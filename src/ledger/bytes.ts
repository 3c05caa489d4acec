/** Eight bytes, big-endian; `value` is a safe integer that is not negative. */
export function uint64 (value: number): Uint8Array {
  const out = new Uint8Array(8)

  new DataView(out.buffer).setBigUint64(0, BigInt(value))

  return out
}
