/** One line of a benchmark's table. */
export interface BenchResult {
  /** Stable: others look results up by it. */
  name: string
  /** Higher is better, unless the name ends in Ms, Bytes or Hops. */
  value: number
  unit: string
  /** What it is compared with, measured in the same run. */
  peer?: string
  detail?: string
}

export interface BenchOptions {
  /** Bound the area to about 40 seconds. */
  quick: boolean
  /** Of what the area exports as `options`, the ones that were given. */
  values?: Partial<Record<string, string>>
}

/** Options of an area's own, all with a value, and what `--help` says of them; exported as `options`. */
export type OwnOptions = Record<string, { type: 'string', value?: string, help?: string }>

/** What each file of this folder named after an area exports as `run`. */
export type Bench = (options: BenchOptions) => Promise<BenchResult[]>
