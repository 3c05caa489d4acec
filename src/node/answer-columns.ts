import { readColumns } from '../serving/index.ts'
import { LOOKUP_TIMEOUT_MS } from './constants.ts'
import type { Columns } from '../attestation/index.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { LoadedAdapter } from '../serving/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

/** What is needed of a node. */
export interface ColumnSources {
  columns: Pick<Columns, 'agreement' | 'refresh'>
  storage: Pick<Storage, 'getFile'>
}

/** What was read for an adapter that is in memory, and of which files. */
const read = new WeakMap<LoadedAdapter, { files: string, columns: Promise<Float64Array[] | null> }>()

/** Adapters of which peers were asked what they heard. */
const asked = new WeakMap<LoadedAdapter, Promise<void>>()

/**
 * The columns that answers of an adapter are traced by: what the swarm agreed on, and what the
 * record publishes where it did not.
 *
 * `node` heard what others say; an adapter that is dropped from memory takes its columns with it.
 *
 * @returns null while some column is neither published nor agreed, and where all take too much memory
 */
export async function answerColumns (node: ColumnSources, adapter: LoadedAdapter, { signal }: AbortOptions = {}): Promise<Float64Array[] | null> {
  const { record } = adapter

  if (record.type !== 'adapter') {
    return null
  }

  const patience = AbortSignal.timeout(LOOKUP_TIMEOUT_MS)
  const asking = asked.get(adapter) ?? node.columns.refresh(adapter.cid, { signal: patience }).catch(() => {})

  asked.set(adapter, asking)
  await asking
  signal?.throwIfAborted()

  const published = record.influence.form === 'forward' ? record.influence.columns : []
  const files = node.columns.agreement(adapter.cid, record).map(({ agreed }, i) => agreed ?? published[i])

  if (files.length === 0 || !files.every((file): file is CID => file != null)) {
    return adapter.columns
  }

  if (adapter.columns != null && files.every((file, i) => file.equals(published[i]))) {
    return adapter.columns
  }

  return readOnce(node, adapter, files)
}

async function readOnce ({ storage }: Pick<ColumnSources, 'storage'>, adapter: LoadedAdapter, files: CID[]): Promise<Float64Array[] | null> {
  const key = files.join(' ')
  const before = read.get(adapter)

  if (before?.files === key) {
    return before.columns
  }

  const columns = readColumns(storage, files, files.length, adapter.lora.shape.parameters, { signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS) })

  read.set(adapter, { files: key, columns })
  // asked again with the next answer
  columns.catch(() => { read.delete(adapter) })

  return columns
}
