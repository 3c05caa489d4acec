import { GGUF_KEY_BYTES_MAX } from './constants.ts'
import { GgufError } from './errors.ts'

/** Bytes of each fixed-size type of the metadata; 8 is a string, 9 an array. */
export const SIZES: Record<number, number | undefined> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }

/** The head of the file that was given ends before the header does. */
export class HeadEnds extends GgufError {}

/** Reads forward and never beyond what is there. */
export class Cursor {
  at = 0
  private readonly bytes: Uint8Array
  private readonly view: DataView
  /** where the file, or what we look at of it, ends */
  private readonly end: number

  constructor (bytes: Uint8Array, end: number) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = end
  }

  /** Moves over `size` bytes and says where they began. */
  private over (size: number, what: string): number {
    if (this.at + size > this.bytes.length) {
      throw new HeadEnds(`expected ${size} bytes for ${what} at offset ${this.at} but the header ends at ${this.bytes.length}: the file is cut or larger than allowed`)
    }
    this.at += size
    return this.at - size
  }

  u8 (what: string): number {
    return this.view.getUint8(this.over(1, what))
  }

  u32 (what: string): number {
    return this.view.getUint32(this.over(4, what), true)
  }

  /** A number of the metadata's type. */
  number (type: number, what: string): number {
    const { view } = this
    const at = this.over(SIZES[type] ?? 0, what)
    switch (type) {
      case 0: return view.getUint8(at)
      case 1: return view.getInt8(at)
      case 2: return view.getUint16(at, true)
      case 3: return view.getInt16(at, true)
      case 4: return view.getUint32(at, true)
      case 5: return view.getInt32(at, true)
      case 6: return view.getFloat32(at, true)
      case 12: return view.getFloat64(at, true)
      default: return this.wide(type, at, what)
    }
  }

  private wide (type: number, at: number, what: string): number {
    const { view } = this
    const wide = type === 10 ? view.getBigUint64(at, true) : view.getBigInt64(at, true)
    if (wide > BigInt(Number.MAX_SAFE_INTEGER) || wide < BigInt(Number.MIN_SAFE_INTEGER)) {
      throw new GgufError(`expected ${what} to be below 2^53 but got ${wide} at offset ${at}`)
    }
    return Number(wide)
  }

  /** A count of things that take at least `bytesEach`: checked against what is left of the file. */
  count (what: string, max: number, bytesEach: number): number {
    const count = this.number(10, what)
    if (count > max || count * bytesEach > this.end - this.at) {
      throw new GgufError(`expected ${what} to be at most ${max} and to fit the ${this.end - this.at} bytes that are left but got ${count} at offset ${this.at - 8}`)
    }
    return count
  }

  /** Moves over items of so many bytes each, or over texts. */
  pass (count: number, bytesEach: number | undefined, what: string): void {
    if (bytesEach != null) {
      this.over(count * bytesEach, what)
      return
    }
    for (let i = 0; i < count; i++) {
      this.over(this.textBytes(what, GGUF_KEY_BYTES_MAX), what)
    }
  }

  private textBytes (what: string, bytesMax: number): number {
    const length = this.number(10, what)
    if (length > bytesMax) {
      throw new GgufError(`expected ${what} to be a text of at most ${bytesMax} bytes but got ${length} at offset ${this.at - 8}`)
    }
    return length
  }

  text (what: string, bytesMax: number): string {
    const length = this.textBytes(what, bytesMax)
    const at = this.over(length, what)
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.bytes.subarray(at, at + length))
  }
}
