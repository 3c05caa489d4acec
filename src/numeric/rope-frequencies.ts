import { log, PI, power } from './math.ts'
import type { RopeScaling } from './interface.ts'

/**
 * What a position is multiplied by to give the angle of each pair of a head's columns: theta^(−2i/headDim),
 * scaled where told to (the order of operations is that of Hugging Face's transformers), in f64.
 */
export function ropeFrequencies (headDim: number, theta: number, scaling?: RopeScaling): number[] {
  const frequencies = Array.from({ length: headDim / 2 }, (_, i) => power(theta, -2 * i / headDim))

  return scaling?.yarn === true ? stretched(frequencies, headDim, theta, scaling) : frequencies.map(frequency => scaled(frequency, scaling))
}

/** What cosines and sines are multiplied by: 1 but for YaRN, whose attention grows sharper with the factor (equation 22). */
export function ropeMagnitude (scaling?: RopeScaling): number {
  return scaling?.yarn === true ? 1 + 0.1 * log(scaling.factor) : 1
}

function scaled (frequency: number, scaling: RopeScaling | undefined): number {
  if (scaling == null) {
    return frequency
  }
  const { factor, bands } = scaling
  const wavelength = 2 * PI / frequency
  if (bands == null || wavelength > bands.length / bands.low) {
    return frequency / factor
  }
  if (wavelength < bands.length / bands.high) {
    return frequency
  }
  const smooth = (bands.length / wavelength - bands.low) / (bands.high - bands.low)
  return (1 - smooth) * frequency / factor + smooth * frequency
}

/** YaRN (Peng et al., arXiv 2309.00071): a line over columns, between those of whole numbers next to where a wave turns `high` and `low` times. */
function stretched (frequencies: number[], headDim: number, theta: number, { factor, bands }: RopeScaling): number[] {
  if (bands == null) {
    return frequencies.map(frequency => frequency / factor)
  }
  const column = (turns: number): number => headDim * log(bands.length / (turns * 2 * PI)) / (2 * log(theta))
  const first = Math.max(0, Math.floor(column(bands.high)))
  const last = Math.min(headDim - 1, Math.ceil(column(bands.low)))
  return frequencies.map((frequency, i) => {
    const share = Math.min(1, Math.max(0, (i - first) / Math.max(0.001, last - first)))
    return frequency / factor * share + frequency * (1 - share)
  })
}
