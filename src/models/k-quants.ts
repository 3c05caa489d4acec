/**
 * llama.cpp's k-quants: blocks of 256 numbers whose parts have scales of their own, in few bits. The
 * bits of ggml's dequantize_row_q4_K, q5_K and q6_K: each factor is rounded to f32 before it is used.
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
