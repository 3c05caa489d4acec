/** Numbers of equally many bits, back to back, most significant bit first. */

/** Bits that numbers below `count` take; at least one. */
export const bitsFor = (count: number): number => Math.max(1, 32 - Math.clz32(Math.max(0, count - 1)))

/** Bytes of so many numbers of so many bits. */
export const packedBytes = (count: number, bits: number): number => Math.ceil(count * bits / 8)

/** Packs numbers of up to 25 bits. */
export function pack (values: ArrayLike<number>, bits: number, out: Uint8Array): void {
  let held = 0
  let holding = 0
  let at = 0

  for (let i = 0; i < values.length; i++) {
    held = ((held << bits) | values[i]) >>> 0
    holding += bits

    while (holding >= 8) {
      holding -= 8
      out[at++] = held >>> holding
      held &= (1 << holding) - 1
    }
  }

  if (holding > 0) {
    out[at] = held << (8 - holding)
  }
}

/** Reads one number; bytes after the end count as 0. */
export function unpack (bytes: Uint8Array, bits: number, index: number): number {
  const bit = index * bits
  const at = bit >>> 3
  const word = ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0

  return ((word << (bit & 7)) >>> 0) >>> (32 - bits)
}
