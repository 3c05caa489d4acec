import { CID } from 'multiformats/cid'
import { enterSubject } from '../datanets/index.ts'
import { signRecord } from '../identity/index.ts'
import { listAdapters } from '../ledger/index.ts'
import { baseModelCodec, cidOf, compareBytes, domains, importedAdapterCodec, RECORD_BYTES_MAX, signedCodec, utf8 } from '../wire/index.ts'
import { PRICE_DEFAULT } from './constants.ts'
import { ConfigError, NotFoundError } from './errors.ts'
import { readPeft } from './peft-thread.ts'
import { IMPORTS_KEPT_MAX } from './registry-constants.ts'
import type { DatanetNode } from './node.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, ImportedAdapter, ImportedWeightsView, PublishAdapterRequest, PublishedAdapterView } from '../interface/index.ts'
import type { PeftFiles } from '../models/index.ts'

type Node = Pick<DatanetNode, 'storage' | 'chain' | 'genesis' | 'db' | 'adapters'>

/** What a node remembers of weights until they are published. */
type Import = Omit<ImportedWeightsView, 'sameAs'>

/**
 * Checks a PEFT directory against a base of the chain and keeps its weights in the one file that
 * their values have, whatever wrote the directory: exporting an adapter and importing it again gives
 * the same CID. Nothing is published.
 *
 * @param node - runs
 * @param base - CID of a base of the chain
 * @param files - adapter_config.json and adapter_model.safetensors
 * @throws {NotFoundError} if the base is none of the chain
 * @throws {ForeignFileError} that names the option, or tensor and offset, with the code of `ModelUnsupportedError`, `SafetensorsError` or `LoraShapeError`
 * @throws {ImportsFullError | ImportThreadError}
 */
export async function importAdapter (node: Node, base: CID, files: PeftFiles, { signal }: AbortOptions = {}): Promise<ImportedWeightsView> {
  const { storage, genesis } = node

  if (!genesis.bases.some(one => one.base.equals(base))) {
    throw new NotFoundError('base', base.toString(), 'an adapter can only be for a base of the chain: look with `datanet model list`')
  }

  const record = baseModelCodec.decode(await storage.get(base, { signal, bytesMax: RECORD_BYTES_MAX }))
  const { weights, ...shape } = await readPeft(record.config, files, { signal })
  // until it is published or pushed out by later imports
  const cid = await storage.putFile(weights, { signal, pin: true })
  const view: Import = {
    weights: cid.toString(),
    base: base.toString(),
    ...shape,
    bytes: weights.byteLength
  }

  await remember(node, view)

  return { ...view, sameAs: await sameWeights(node, cid) }
}

/**
 * Publishes imported weights under the importer's name: what can be known of them goes into the
 * record, what they claim is marked as a claim, and validators check the rest.
 *
 * @param node - on which they were imported
 * @param request - name, licence, price
 * @param signer - who answers for the licence and is paid
 * @throws {NotFoundError} if the weights were not imported here
 * @throws {MalformedRecordError} if a field cannot stand in a record
 * @throws {ConfigError} if the ledger refuses it
 */
export async function publishAdapter (node: Node, request: PublishAdapterRequest, signer: Signer, { signal }: AbortOptions = {}): Promise<PublishedAdapterView> {
  const known = await importsOf(node).get(request.weights)

  if (known == null) {
    throw new NotFoundError('import', request.weights, 'import the directory on this node first, with `datanet adapter import`')
  }

  const record = recordOf(known, request, signer)
  const bytes = signedCodec(importedAdapterCodec).encode(signRecord(domains.adapter, importedAdapterCodec, record, signer))
  const adapter = cidOf(bytes)

  await node.storage.put(bytes, { pin: true, signal })

  const { ok, code, message } = await enterSubject(node.chain, { kind: 'import-adapter', adapter, base: record.base, weights: record.weights }, signer, { signal })

  if (!ok) {
    await node.storage.unpin(adapter, { signal })
    throw new ConfigError(`the ledger refused the adapter: ${message ?? code ?? 'without a reason'}`)
  }

  // from now on the record names them, and this node serves them
  await importsOf(node).del(known.weights)

  return { adapter: adapter.toString(), name: record.name, weights: known.weights, status: 'pending' }
}

function recordOf ({ base, rank, alpha, targets, weights }: Import, { name, licence, source, metrics = [], pricePerThousandTokens, promptPricePerThousandTokens }: PublishAdapterRequest, { account }: Signer): ImportedAdapter {
  return {
    type: 'imported-adapter',
    version: 1,
    name,
    developer: account,
    base: CID.parse(base),
    licence,
    ...(source == null ? {} : { source }),
    rank,
    alpha,
    targets,
    weights: CID.parse(weights),
    metrics: metrics.map(({ name, value }) => ({ name, valueMicro: Math.round(value * 1e6) })).sort((a, b) => compareBytes(utf8(a.name), utf8(b.name))),
    pricePerThousandTokens: pricePerThousandTokens == null ? PRICE_DEFAULT : BigInt(pricePerThousandTokens),
    ...(promptPricePerThousandTokens == null ? {} : { promptPricePerThousandTokens: BigInt(promptPricePerThousandTokens) })
  }
}

const importsOf = ({ db }: Pick<Node, 'db'>): ReturnType<typeof db.sublevel<string, Import>> => db.sublevel<string, Import>('imports', { valueEncoding: 'json' })

/** Weights that are imported and never published are let go when there are too many of them. */
async function remember (node: Node, view: Import): Promise<void> {
  const imports = importsOf(node)
  const others = await imports.keys().all()

  for (const weights of others.filter(one => one !== view.weights).slice(IMPORTS_KEPT_MAX - 1)) {
    await imports.del(weights)
    await node.storage.unpin(CID.parse(weights))
  }

  await imports.put(view.weights, view)
}

/** So that who imports what is there already hears of it before it pays a deposit. */
async function sameWeights ({ chain, adapters }: Node, weights: CID): Promise<string | null> {
  const state = chain.state()
  const imported = [...listAdapters(state)].find(({ state: { weights: one, status } }) => status !== 'rejected' && one?.equals(weights) === true)

  if (imported != null) {
    return imported.adapter.toString()
  }

  const text = weights.toString()

  // those of imported adapters the ledger knows, of which some may be rejected
  return (await adapters.all()).find(one => one.influence !== 'none' && one.weights === text)?.adapter.toString() ?? null
}
