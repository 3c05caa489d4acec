import type { FeeSplit } from '../types.ts'

export const splitParts: Array<keyof FeeSplit> = ['platform', 'developers', 'validators', 'data']

export const partTitles: Record<keyof FeeSplit, string> = { platform: 'Platform', developers: 'Developers', validators: 'Validators and committee', data: 'Data' }

/** The split with another share for data, taken from (or given to) one other part. */
export function withData (split: FeeSplit, data: number, from: Exclude<keyof FeeSplit, 'data'>): FeeSplit {
  return { ...split, data, [from]: split[from] + split.data - data }
}

/** The fee split that a proposal would bring, if it is about that. */
export function proposedSplit (actions: unknown[]): Partial<FeeSplit> | undefined {
  for (const action of actions) {
    const { params } = action as { params?: { feeSplit?: Partial<FeeSplit> } }

    if (params?.feeSplit != null) {
      return params.feeSplit
    }
  }

  return undefined
}
