/**
 * Vectors of one number that loops keep in registers. Compilers make a constant anew at each use, which costs
 * as much as the arithmetic around it; what is read from memory before a loop they keep. All instances write
 * the same bytes here.
 */
const NUMBERS: usize = memory.data<u32>([
  0x8fffffff, 0x77800000, 0x000f000f, 0x00f000f0, 0x0f000f00, 0xff000000, 0xf0000000, 0x88888888, 0xffff0000, 0x6b800000, 0x69800000, 0x00ff00ff,
  0x00800080
], 16)

// @ts-ignore: decorator
@inline
function kept (i: usize): v128 {
  return v128.load32_splat(NUMBERS + (i << 2))
}

/** Sign and magnitude of an f16 that was shifted up by 13. */
// @ts-ignore: decorator
@inline
export function halfBits (): v128 { return kept(0) }
/** 2^112, by which the exponents of f16 are smaller. */
// @ts-ignore: decorator
@inline
export function halfPower (): v128 { return kept(1) }
/** The first, second and third nibble of 16 bits. */
// @ts-ignore: decorator
@inline
export function firstNibbles (): v128 { return kept(2) }
// @ts-ignore: decorator
@inline
export function secondNibbles (): v128 { return kept(3) }
// @ts-ignore: decorator
@inline
export function thirdNibbles (): v128 { return kept(4) }
/** The uppermost byte, nibble and half of a word. */
// @ts-ignore: decorator
@inline
export function topByte (): v128 { return kept(5) }
// @ts-ignore: decorator
@inline
export function topNibble (): v128 { return kept(6) }
// @ts-ignore: decorator
@inline
export function topHalf (): v128 { return kept(8) }
/** The uppermost bit of each nibble. */
// @ts-ignore: decorator
@inline
export function nibbleSigns (): v128 { return kept(7) }
/** Quants are taken where they lie in a word, so scales are smaller by 2^24 (bytes, 2^88) or 2^28 (nibbles, 2^84). */
// @ts-ignore: decorator
@inline
export function q8Power (): v128 { return kept(9) }
// @ts-ignore: decorator
@inline
export function q4Power (): v128 { return kept(10) }

/** The lower bytes of half words, and their uppermost bits. */
// @ts-ignore: decorator
@inline
export function lowBytes (): v128 { return kept(11) }
// @ts-ignore: decorator
@inline
export function lowSigns (): v128 { return kept(12) }
