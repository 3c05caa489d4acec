/** Numbers of equally many bits, back to back, most significant bit first. */

/** Bits that numbers below `count` take; at least one. */
export const bitsFor = (count: number): number => Math.max(1, 32 - Math.clz32(Math.max(0, count - 1)))

/** Bytes of so many numbers of so many bits. */
export const packedBytes = (count: number, bits: number): number => Math.ceil(count * bits / 8)

/** Writes numbers of up to 25 bits one after the other; `end` writes the last bits. */
export interface Packer {
  add (value: number): void
  end (): void
}

export function packer (bits: number, out: Uint8Array): Packer {
  let held = 0
  let holding = 0
  let at = 0

  return {
    add (value) {
      held = ((held << bits) | value) >>> 0
      holding += bits

      while (holding >= 8) {
        holding -= 8
        out[at++] = held >>> holding
        held &= (1 << holding) - 1
      }
    },
    end () {
      if (holding > 0) {
        out[at] = held << (8 - holding)
      }
    }
  }
}

/** Packs numbers of up to 25 bits. */
export function pack (values: ArrayLike<number>, bits: number, out: Uint8Array): void {
  const { add, end } = packer(bits, out)

  for (let i = 0; i < values.length; i++) {
    add(values[i])
  }

  end()
}

/** Reads one number of up to 25 bits, of less than 512 MiB of them; bytes after the end count as 0. */
export function unpack (bytes: Uint8Array, bits: number, index: number): number {
  const bit = index * bits
  const at = bit >>> 3
  const word = ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0

  return ((word << (bit & 7)) >>> 0) >>> (32 - bits)
}
