import type { AdapterView } from './api.ts'

/** GET /api/v1/registry */
export interface AdapterEntryView extends AdapterView {
  /** 1 for the developer's first admitted adapter of the name, counted by height; null for what is not admitted */
  version: number | null
  /** whether it is the developer's last admitted one of the name */
  newest: boolean
  baseName: string
  snapshot: string
  /** what it was trained on */
  datanets: Array<{ datanet: string, name: string, licence: string }>
  /** SPDX identifiers of base and Datanets, each once: all of them bind who uses the weights */
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

/** GET /api/v1/adapters/:id */
export interface AdapterDetailView extends AdapterEntryView {
  recipe: { recipe: string, engine: string, rank: number, alpha: number, targets: string[], steps: number, batchSize: number, sequenceLength: number, seed: number }
  method: string
  weights: string
  /** whether this node keeps the weights, so that they outlive their developer's node */
  held: boolean
  /** CIDs of the contributions of its snapshot */
  trainedOn: string[]
  /** of the same developer and name, the last published first */
  versions: Array<Pick<AdapterEntryView, 'adapter' | 'version' | 'status' | 'height'>>
  /** what gateways redeemed on the ledger, newest epoch first, at most 100 */
  uses: AdapterUseView[]
}

/** POST /api/v1/adapters/:id/pull */
export interface PulledAdapterView {
  adapter: string
  name: string
  files: number
  bytes: number
  parameters: number
}
