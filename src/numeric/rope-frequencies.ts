import { PI, power } from './math.ts'
import type { RopeScaling } from './interface.ts'

/**
 * What a position is multiplied by to give the angle of each pair of a head's columns: theta^(−2i/headDim),
 * scaled where told to (the order of operations is that of Hugging Face's transformers), in f64.
 */
export function ropeFrequencies (headDim: number, theta: number, scaling?: RopeScaling): number[] {
  return Array.from({ length: headDim / 2 }, (_, i) => scaled(power(theta, -2 * i / headDim), scaling))
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
