/** How a tensor's numbers are stored. All but f32, bf16, q8_0 and q4_0 are read, and become f32 in memory. */
export type TensorType =
  | 'f32' | 'f16' | 'bf16' | 'q8_0' | 'q4_0' | 'q4_1' | 'q5_0' | 'q5_1' | 'iq4_nl'
  | 'q2_k' | 'q3_k' | 'q4_k' | 'q5_k' | 'q6_k' | 'iq4_xs'

/** Types that matrices keep in memory. */
export function isKept (type: TensorType): type is 'f32' | 'bf16' | 'q8_0' | 'q4_0' {
  return type === 'f32' || type === 'bf16' || type === 'q8_0' || type === 'q4_0'
}

/** A tensor in a file. */
export interface TensorEntry {
  name: string
  type: TensorType
  /** outermost first */
  shape: number[]
  /** of its first byte, from the beginning of the file */
  offset: number
  bytes: number
}

/** Numbers and bytes of one block of a type. */
export const BLOCKS: Readonly<Record<TensorType, { values: number, bytes: number }>> = {
  f32: { values: 1, bytes: 4 },
  f16: { values: 1, bytes: 2 },
  bf16: { values: 1, bytes: 2 },
  // an f16 scale and 32 int8
  q8_0: { values: 32, bytes: 34 },
  // an f16 scale and 32 nibbles
  q4_0: { values: 32, bytes: 18 },
  // see small-quants.ts
  q4_1: { values: 32, bytes: 20 },
  q5_0: { values: 32, bytes: 22 },
  q5_1: { values: 32, bytes: 24 },
  iq4_nl: { values: 32, bytes: 18 },
  iq4_xs: { values: 256, bytes: 136 },
  // see k-quants.ts
  q2_k: { values: 256, bytes: 84 },
  q3_k: { values: 256, bytes: 110 },
  q4_k: { values: 256, bytes: 144 },
  q5_k: { values: 256, bytes: 176 },
  q6_k: { values: 256, bytes: 210 }
}

/** The product of a shape's sizes. */
export function countOf (shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** Bytes of a tensor; undefined if its rows are not whole blocks or a size is absurd. */
export function bytesOf (type: TensorType, shape: readonly number[]): number | undefined {
  const { values, bytes } = BLOCKS[type]
  const count = countOf(shape)
  return Number.isSafeInteger(count) && count > 0 && (shape.at(-1) ?? 0) % values === 0 && Number.isSafeInteger(count / values * bytes)
    ? count / values * bytes
    : undefined
}
