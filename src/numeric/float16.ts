const words = new Uint32Array(1)
const floats = new Float32Array(words.buffer)

/** The f32 (as a number) of 16 bits of an IEEE half: exact. */
export function fromFloat16 (bits: number): number {
  const exponent = (bits >>> 10) & 31
  const mantissa = bits & 0x3ff
  const sign = (bits & 0x8000) === 0 ? 1 : -1
  if (exponent === 31) {
    return mantissa === 0 ? sign * Infinity : NaN
  }
  // 2^-24 and 2^-10 are exact, and so are products by powers of two in this range
  return exponent === 0 ? sign * mantissa * 5.960464477539063e-8 : sign * (1 + mantissa * 0.0009765625) * powerOfTwo(exponent - 15)
}

/** The 16 bits of the half nearest to an f32, ties to even; infinite beyond 65,519. */
export function toFloat16 (value: number): number {
  floats[0] = value
  const sign = (words[0] >>> 16) & 0x8000
  const magnitude = words[0] & 0x7fffffff
  if (magnitude > 0x7f800000) {
    return sign | 0x7e00
  }
  if (magnitude >= 0x477ff000) {
    return sign | 0x7c00
  }
  if (magnitude < 0x38800000) {
    // below 2^-14 steps are 2^-24 wide: the sum with ½ leaves them in the low bits, rounded to even
    floats[0] = Math.abs(value) + 0.5
    return sign | (words[0] - 0x3f000000)
  }
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
}

/** 2^k, −126 ≤ k ≤ 127. */
function powerOfTwo (k: number): number {
  words[0] = (k + 127) << 23
  return floats[0]
}
