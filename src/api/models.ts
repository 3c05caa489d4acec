import { adapterViews, baseViews } from '../node/index.ts'
import { UnknownAdapterError } from '../serving/index.ts'
import type { AdapterView, BaseView } from '../interface/index.ts'
import type { DatanetNode } from '../node/index.ts'

/** A model as OpenAI's API lists it, with what a buyer of answers wants to know. */
export interface ModelView {
  id: string
  object: 'model'
  created: number
  owned_by: string
  /** for people; clients may ask for an adapter by it */
  name: string
  datanet: {
    /** a base is what adapters stand on; asked itself, it answers without one, free of charge */
    kind: 'adapter' | 'base'
    licence: string
    developer?: string
    base?: string
    /** base units of OPEN, of an answer */
    pricePerThousandTokens?: string
    /** of a prompt */
    promptPricePerThousandTokens?: string
    influence?: string
    /** `imported`: trained elsewhere, so that answers are not traced to data; `merged`: several adapters at once */
    origin?: AdapterView['origin']
    deprecated?: { reason: string, successor: string | null }
    parameters?: number
    contextLength: number
    /** in this node's memory now; `pinned` stays there */
    loaded?: 'pinned' | 'kept'
  }
}

/** Bases, and the admitted adapters that stand on them. */
export async function modelList (node: DatanetNode): Promise<ModelView[]> {
  const [adapters, bases] = await Promise.all([adapterViews(node), baseViews(node)])
  const byCid = new Map(bases.map(base => [base.base, base]))
  const loaded = new Map(node.library.loaded().map(({ cid, pinned }) => [cid.toString(), pinned ? 'pinned' as const : 'kept' as const]))

  return [
    ...bases.map(baseModel),
    ...adapters.filter(({ status }) => status === 'admitted').flatMap(adapter => {
      const base = byCid.get(adapter.base)

      return base == null ? [] : [adapterModel(adapter, base, loaded.get(adapter.adapter))]
    })
  ]
}

/**
 * One model by CID or name.
 *
 * @param node - knows the models
 * @param id - CID or name
 * @param resolve - finds the adapter that is meant, and says what is wrong if there is none
 * @throws {UnknownAdapterError}
 */
export async function modelView (node: DatanetNode, id: string, resolve: () => Promise<string>): Promise<ModelView> {
  const models = await modelList(node)
  const direct = models.find(model => model.id === id)

  if (direct != null) {
    return direct
  }

  const adapter = await resolve()

  const named = models.find(model => model.id === adapter)

  if (named == null) {
    throw new UnknownAdapterError(id, 'is not admitted, or its record cannot be had now')
  }

  return named
}

function adapterModel (adapter: AdapterView, { licence, contextLength }: BaseView, loaded: ModelView['datanet']['loaded']): ModelView {
  return {
    id: adapter.adapter,
    object: 'model',
    created: 0,
    owned_by: adapter.developer,
    name: adapter.name,
    datanet: {
      kind: 'adapter',
      // the weights of an adapter go with those of its base
      licence,
      developer: adapter.developer,
      base: adapter.base,
      pricePerThousandTokens: adapter.pricePerThousandTokens,
      promptPricePerThousandTokens: adapter.promptPricePerThousandTokens,
      influence: adapter.influence,
      origin: adapter.origin,
      ...(adapter.deprecated == null ? {} : { deprecated: { reason: adapter.deprecated.reason, successor: adapter.deprecated.successor } }),
      contextLength,
      ...(loaded == null ? {} : { loaded })
    }
  }
}

function baseModel ({ base, name, licence, parameters, contextLength }: BaseView): ModelView {
  return { id: base, object: 'model', created: 0, owned_by: 'datanet', name, datanet: { kind: 'base', licence, pricePerThousandTokens: '0', parameters, contextLength } }
}
