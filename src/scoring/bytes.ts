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
