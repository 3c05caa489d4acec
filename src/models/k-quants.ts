/**
 * llama.cpp's k-quants: blocks of 256 numbers whose parts have scales of their own, in few bits. The
 * bits of ggml's dequantize_row_q2_K to q6_K: each factor is rounded to f32 before it is used.
 */

/** Numbers of one block from the bytes at `at` into `out` from `to` on; `half` reads an f16. */
export type BlockDecoder = (view: DataView, at: number, out: Float32Array, to: number, half: (bits: number) => number) => void

/** Scale and minimum of part j (0 … 7) in six bits each, out of 12 bytes (ggml's get_scale_min_k4). */
function scaleAndMinimum (view: DataView, at: number, j: number): { scale: number, minimum: number } {
  const byte = (i: number): number => view.getUint8(at + i)
  return j < 4
    ? { scale: byte(j) & 63, minimum: byte(j + 4) & 63 }
    : { scale: (byte(j + 4) & 15) | (byte(j - 4) >>> 6) << 4, minimum: byte(j + 4) >>> 4 | (byte(j) >>> 6) << 4 }
}

/** Part j is the nibbles of one side of 32 bytes at `low`; q5_k has their fifth bits at `high`. Times scale, less minimum. */
function parts (view: DataView, at: number, low: number, high: number | undefined, out: Float32Array, to: number, half: (bits: number) => number): void {
  const [d, least] = [half(view.getUint16(at, true)), half(view.getUint16(at + 2, true))]
  for (let j = 0; j < 8; j++) {
    const { scale, minimum } = scaleAndMinimum(view, at + 4, j)
    const [factor, less] = [Math.fround(d * scale), Math.fround(least * minimum)]
    for (let i = 0; i < 32; i++) {
      const nibble = view.getUint8(low + 32 * (j >>> 1) + i) >>> 4 * (j & 1) & 15
      const fifth = high == null ? 0 : view.getUint8(high + i) >>> j & 1
      out[to + 32 * j + i] = Math.fround(factor * (nibble | fifth << 4)) - less
    }
  }
}

/** f16 scale and scale of minima, 12 bytes of both for the parts, 128 bytes of nibbles. */
export const q4k: BlockDecoder = (view, at, out, to, half) => { parts(view, at, at + 16, undefined, out, to, half) }

/** The same with 32 bytes of fifth bits before the nibbles. */
export const q5k: BlockDecoder = (view, at, out, to, half) => { parts(view, at, at + 48, at + 16, out, to, half) }

/** 128 bytes of low nibbles, 64 of upper pairs of bits, 16 int8 scales and an f16 scale. */
export const q6k: BlockDecoder = (view, at, out, to, half) => {
  const scale = half(view.getUint16(at + 208, true))
  for (let i = 0; i < 256; i++) {
    const side = i >>> 7
    const within = i & 127
    const low = view.getUint8(at + 64 * side + (within & 63)) >>> (within < 64 ? 0 : 4) & 15
    const high = view.getUint8(at + 128 + 32 * side + (within & 31)) >>> 2 * (within >>> 5) & 3
    const factor = Math.fround(scale * view.getInt8(at + 192 + 8 * side + (within >>> 4)))
    out[to + i] = factor * ((low | high << 4) - 32)
  }
}

/** Sixteen parts of 16 numbers: 16 bytes with a scale and a minimum of four bits each, 64 bytes of pairs of bits, and an f16 scale of either. */
export const q2k: BlockDecoder = (view, at, out, to, half) => {
  const [d, least] = [half(view.getUint16(at + 80, true)), half(view.getUint16(at + 82, true))]
  for (let part = 0; part < 16; part++) {
    const both = view.getUint8(at + part)
    const [factor, less] = [Math.fround(d * (both & 15)), Math.fround(least * (both >>> 4))]
    for (let i = 0; i < 16; i++) {
      out[to + 16 * part + i] = Math.fround(factor * pair(view, at + 16, 16 * part + i)) - less
    }
  }
}

/** Third bits in 32 bytes, pairs of bits in 64, sixteen scales of six bits in 12 bytes, and an f16 scale. A third bit that is not set takes four away. */
export const q3k: BlockDecoder = (view, at, out, to, half) => {
  const d = half(view.getUint16(at + 108, true))
  for (let part = 0; part < 16; part++) {
    const low = view.getUint8(at + 96 + (part & 7)) >>> (part < 8 ? 0 : 4) & 15
    const high = view.getUint8(at + 104 + (part & 3)) >>> 2 * (part >>> 2) & 3
    const factor = Math.fround(d * ((low | high << 4) - 32))
    for (let i = 16 * part; i < 16 * (part + 1); i++) {
      const third = view.getUint8(at + (i & 31)) >>> (i >>> 5) & 1
      out[to + i] = factor * (pair(view, at + 32, i) - (third === 1 ? 0 : 4))
    }
  }
}

/** Four numbers 32 apart share a byte of two bits each; those from 128 on have 32 bytes of their own. */
function pair (view: DataView, at: number, i: number): number {
  return view.getUint8(at + 32 * (i >>> 7) + (i & 31)) >>> 2 * (i >>> 5 & 3) & 3
}
