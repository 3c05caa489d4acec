import type { AttributionMethod, PresetName } from '../interface/index.ts'

// By name here, and not from the modules that have them: help would wait for kernels and models. Types keep them complete.

/** Recipes of `datanet train`. */
export const presets = Object.keys({ quick: true, careful: true } satisfies Record<PresetName, true>)

/** Methods by which answers are attributed. */
export const methods = Object.keys({
  trajectory: true, graddot: true, tracin: true, datainf: true, fisher: true, 'fisher-projected': true, ekfac: true
} satisfies Record<AttributionMethod, true>)
