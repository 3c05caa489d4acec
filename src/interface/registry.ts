import type { AdapterView } from './api.ts'

/** GET /api/v1/registry */
export interface AdapterEntryView extends AdapterView {
  /** 1 for the developer's first admitted adapter of the name, counted by height; null for what is not admitted */
  version: number | null
  /** whether it is the developer's last admitted one of the name */
  newest: boolean
  baseName: string
  /** null if it was trained elsewhere, and of a merge */
  snapshot: string | null
  /** what it was trained on */
  datanets: Array<{ datanet: string, name: string, licence: string }>
  /** SPDX expressions of base, Datanets and imported weights, each once: all of them bind who uses the weights */
  licences: string[]
  /** of the block that published it */
  height: number
}

/** one redemption of answers of an adapter; payer is null once the ledger has forgotten the channel */
export interface AdapterUseView {
  task: string
  epoch: number
  gateway: string
  payer: string | null
  receipts: number
  fees: string
}

/** All redemptions of answers of an adapter in sum. */
export interface AdapterUsageView {
  answers: number
  fees: string
  /** who paid most first; payers of channels that the ledger has forgotten are in the sums alone */
  payers: Array<{ payer: string, answers: number, fees: string }>
  /** newest first */
  epochs: Array<{ epoch: number, answers: number, fees: string }>
}

/** GET /api/v1/adapters/:id */
export interface AdapterDetailView extends AdapterEntryView {
  /** null if it was trained elsewhere, for nobody can run that again, and of a merge */
  recipe: { recipe: string, engine: string, rank: number, alpha: number, targets: string[], steps: number, batchSize: number, sequenceLength: number, seed: number } | null
  /** the shape of its weights; null of a merge, which has none */
  lora: { rank: number, alpha: number, targets: string[] } | null
  method: string
  /** where imported weights come from, as their importer says */
  source: string | null
  /** figures that the importer claims and nobody has checked */
  claims: Array<{ name: string, value: number }>
  /** null of a merge */
  weights: string | null
  /** whether this node keeps the weights, so that they outlive their developer's node */
  held: boolean
  /** CIDs of the contributions of its snapshot, or of its parents' */
  trainedOn: string[]
  /** of its influence Jacobian, in the order of `trainedOn`: who computed each, and who agreed */
  columns: ColumnView[]
  /** of the same developer and name, the last published first */
  versions: Array<Pick<AdapterEntryView, 'adapter' | 'version' | 'status' | 'height'>>
  /** what gateways redeemed on the ledger, newest epoch first, at most 100 */
  uses: AdapterUseView[]
  usage: AdapterUsageView
}

/** What the swarm says of one column of an influence Jacobian. */
export interface ColumnView {
  contribution: string
  /** CID of the bytes that most named; null while nobody computed it */
  file: string | null
  /** at least two accounts named it, and more than any other */
  agreed: boolean
  /** accounts that named it, who published it included */
  checkedBy: string[]
  /** accounts that named other bytes */
  disputedBy: string[]
}

/** POST /api/v1/adapters/:id/pull */
export interface PulledAdapterView {
  adapter: string
  name: string
  files: number
  bytes: number
  parameters: number
}

/** POST /api/v1/adapters/import: weights that were trained elsewhere, checked and kept, not published */
export interface ImportedWeightsView {
  /** CID of the canonical file of the weights */
  weights: string
  base: string
  rank: number
  alpha: number
  targets: string[]
  parameters: number
  bytes: number
  /** the adapter on the ledger that has the same weights */
  sameAs: string | null
}

/** POST /api/v1/adapters/publish */
export interface PublishAdapterRequest {
  /** of an import on this node */
  weights: string
  name: string
  /** SPDX expression */
  licence: string
  source?: string
  metrics?: Array<{ name: string, value: number }>
  pricePerThousandTokens?: string
  promptPricePerThousandTokens?: string
}

/** POST /api/v1/adapters/publish */
export interface PublishedAdapterView {
  adapter: string
  name: string
  weights: string
  status: AdapterView['status']
}
