import type { BlockDecoder } from './k-quants.ts'

/**
 * ggml's quants of 32 numbers whose bits are no even scale: q4_1, q5_0 and q5_1 (llama.cpp's older
 * ones), iq4_nl and, of 256 numbers, iq4_xs. The bits of ggml's dequantize_row functions. They become
 * f32 in memory.
 */

/** Numbers of 16 bytes: the low nibbles first, then the high ones; `value` makes a number of a nibble and its place. */
function nibbles (view: DataView, at: number, out: Float32Array, to: number, value: (nibble: number, i: number) => number): void {
  for (let i = 0; i < 32; i++) {
    out[to + i] = value(view.getUint8(at + (i & 15)) >>> (i < 16 ? 0 : 4) & 15, i)
  }
}

/** f16 scale, f16 minimum, nibbles. */
export const q41: BlockDecoder = (view, at, out, to, half) => {
  const [scale, minimum] = [half(view.getUint16(at, true)), half(view.getUint16(at + 2, true))]
  nibbles(view, at + 4, out, to, nibble => Math.fround(scale * nibble) + minimum)
}

/** f16 scale, fifth bits in 4 bytes, nibbles; less 16. */
export const q50: BlockDecoder = (view, at, out, to, half) => {
  const scale = half(view.getUint16(at, true))
  const fifths = view.getUint32(at + 2, true)
  nibbles(view, at + 6, out, to, (nibble, i) => scale * ((nibble | (fifths >>> i & 1) << 4) - 16))
}

/** f16 scale, f16 minimum, fifth bits in 4 bytes, nibbles. */
export const q51: BlockDecoder = (view, at, out, to, half) => {
  const [scale, minimum] = [half(view.getUint16(at, true)), half(view.getUint16(at + 2, true))]
  const fifths = view.getUint32(at + 4, true)
  nibbles(view, at + 8, out, to, (nibble, i) => Math.fround(scale * (nibble | (fifths >>> i & 1) << 4)) + minimum)
}

/** What the sixteen nibbles of iq4 mean: closer together where weights are many (ggml's kvalues_iq4nl). */
const IQ4 = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]

/** f16 scale, nibbles. */
export const iq4nl: BlockDecoder = (view, at, out, to, half) => {
  const scale = half(view.getUint16(at, true))
  nibbles(view, at + 2, out, to, nibble => scale * IQ4[nibble])
}

/** f16 scale, eight scales of six bits (upper pairs in 2 bytes, nibbles in 4), 128 bytes of nibbles. */
export const iq4xs: BlockDecoder = (view, at, out, to, half) => {
  const d = half(view.getUint16(at, true))
  const upper = view.getUint16(at + 2, true)
  for (let part = 0; part < 8; part++) {
    const lower = view.getUint8(at + 4 + (part >>> 1)) >>> 4 * (part & 1) & 15
    const scale = Math.fround(d * ((lower | (upper >>> 2 * part & 3) << 4) - 32))
    nibbles(view, at + 8 + 16 * part, out, to + 32 * part, nibble => scale * IQ4[nibble])
  }
}
