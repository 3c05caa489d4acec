import { ENGINE, loraShape, peftToTheta } from '../models/index.ts'
import { baseModelCodec } from '../wire/index.ts'
import { replayReceipts, sortedLines } from './assess.ts'
import { FILE_BYTES_MAX, RECORD_BYTES_MAX } from './constants.ts'
import { TrainingInputError } from './errors.ts'
import { withPool } from './run.ts'
import { tableStep } from './trace.ts'
import type { Line } from './assess.ts'
import type { AssessOptions, Assessment, TrainingComponents } from './interface.ts'
import type { RunSettings } from './run.ts'
import type { Hash, ImportedAdapter, ReceiptOpening, ScoreTable } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/**
 * An assessor's work for an adapter that was trained elsewhere: whether the answers follow from it.
 * There is no run to trace them to, so the table has no entry and the trace ends with the receipts.
 * Their steps hash the answers' gradients all the same: whoever did not compute them has no trace.
 */
export async function assessImported (components: TrainingComponents, settings: RunSettings, id: CID, adapter: ImportedAdapter, receipts: ReceiptOpening[], options: AssessOptions): Promise<Assessment> {
  const { steps, refused } = await replay(components, settings, adapter, sortedLines(receipts), options)

  return {
    table: emptyTable(id),
    trace: steps,
    exampleScores: new Float64Array(0),
    groups: new Uint32Array(0),
    refused
  }
}

function emptyTable (id: CID): ScoreTable {
  return { type: 'scores', version: 1, adapter: id, method: 'none', engine: ENGINE, entries: [] }
}

/** @returns null if the trace has no step `index` and it is not the place of the result */
export async function stepImported (components: TrainingComponents, settings: RunSettings, id: CID, adapter: ImportedAdapter, receipts: ReceiptOpening[], index: number, options: AssessOptions): Promise<Hash | null> {
  if (!Number.isSafeInteger(index) || index < 0) {
    throw new TrainingInputError(`expected the index of a step but got ${index}`)
  }

  const line = sortedLines(receipts).at(index)

  if (index === receipts.length) {
    return tableStep(emptyTable(id))
  }

  return line === undefined ? null : (await replay(components, settings, adapter, [line], options)).steps[0]
}

async function replay (components: TrainingComponents, settings: RunSettings, adapter: ImportedAdapter, lines: Line[], options: AssessOptions): ReturnType<typeof replayReceipts> {
  const { storage } = components
  const { signal } = options
  const base = baseModelCodec.decode(await storage.get(adapter.base, { signal, bytesMax: RECORD_BYTES_MAX }))
  const shape = loraShape(base.config, adapter)
  const theta = peftToTheta(shape, await storage.getFile(adapter.weights, { signal, bytesMax: FILE_BYTES_MAX }))

  return withPool(components, settings, { base, shape }, options, async pool => replayReceipts({ pool }, theta, lines, options))
}
