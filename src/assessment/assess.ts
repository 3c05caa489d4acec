import { readContribution } from '../ledger/index.ts'
import { resultStep, scoreTree } from '../scoring/index.ts'
import { feeOf, readAdapterRecord } from '../serving/index.ts'
import { cidOf, cosignedReceiptCodec, toHex } from '../wire/index.ts'
import { FalseReceiptError } from './errors.ts'
import { fetchReceipts } from './receipts.ts'
import type { Assessment, RecomputeEvent, RecomputeOptions, Recomputer } from './interface.ts'
import type { PlacedOpening, ReceiptComponents } from './receipts.ts'
import type { Signer } from '../identity/index.ts'
import type { Hash, Price, ProgressOptions, TaskState } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

export interface AssessComponents extends ReceiptComponents {
  storage: Pick<Storage, 'get' | 'getFile' | 'putFile'>
  training: Recomputer
}

/**
 * Recomputes a task from its receipts. The same bytes for every assessor.
 *
 * @throws {ReceiptsUnavailableError | FalseReceiptError}
 */
export async function assess (components: AssessComponents, ledger: LedgerState, task: Hash, state: TaskState, signer: Signer, options: ProgressOptions<RecomputeEvent> = {}): Promise<Assessment> {
  const { storage, training } = components
  const placed = await fetchReceipts(components, ledger, task, state, signer, options)
  const openings = placed.map(({ opening }) => opening)
  const adapter = await readAdapterRecord(storage, state.adapter, options)

  requirePriced(placed, adapter)

  const { table, trace, refused } = await training.assess(state.adapter, adapter, openings, { ...options, commitmentOf: commitmentsOf(ledger) })

  requireTrue(placed, refused)

  return { table, trace }
}

/** The adapter's record says what a token costs at most; whoever signed for more took it from a payer, or from everybody's weights. */
function requirePriced (placed: PlacedOpening[], price: Price): void {
  for (const { place, opening: { receipt: { payload } } } of placed) {
    const feeMax = feeOf(price, payload.promptTokens, payload.outputTokens)

    if (payload.fee > feeMax) {
      throw new FalseReceiptError(place, `receipt ${payload.sequence} of channel ${toHex(payload.channel)} is of ${payload.fee} base units where the adapter's price makes ${feeMax}`)
    }
  }
}

/** What a replay refuses did not come from the adapter: the gateway signed for something else. */
function requireTrue (placed: PlacedOpening[], refused: CID[]): void {
  const names = new Set(refused.map(String))
  const found = placed.find(({ opening: { receipt } }) => names.has(cidOf(cosignedReceiptCodec.encode(receipt)).toString()))

  if (found !== undefined) {
    const { channel, sequence } = found.opening.receipt.payload

    throw new FalseReceiptError(found.place, `receipt ${sequence} of channel ${toHex(channel)} does not follow from the adapter and its prompt`)
  }
}

/** The ledger's order of contributions, which no later state changes: every assessor finds the same whenever it looks. */
function commitmentsOf (ledger: LedgerState): RecomputeOptions['commitmentOf'] {
  return contribution => readContribution(ledger, contribution)
}

/**
 * One step of the trace, or the step of the result behind it: by the recomputer's own short way if it
 * has one, and from the state before it if there is one; else by the whole.
 *
 * @returns null if the trace has no such step
 * @throws {ReceiptsUnavailableError | FalseReceiptError}
 */
export async function assessStep (components: AssessComponents, ledger: LedgerState, task: Hash, state: TaskState, index: number, signer: Signer, options: ProgressOptions<RecomputeEvent> & { from?: Uint8Array } = {}): Promise<Hash | null> {
  const { storage, training } = components
  const openings = (await fetchReceipts(components, ledger, task, state, signer, options)).map(({ opening }) => opening)
  const adapter = await readAdapterRecord(storage, state.adapter, options)

  return training.step === undefined
    ? stepOf(await training.assess(state.adapter, adapter, openings, { ...options, commitmentOf: commitmentsOf(ledger) }), index)
    : training.step(state.adapter, adapter, openings, index, { ...options, commitmentOf: commitmentsOf(ledger) })
}

/** @returns null if the trace has no step `index` and it is not the place of the result */
export function stepOf ({ table, trace }: Assessment, index: number): Hash | null {
  if (index === trace.length) {
    const { root, total } = scoreTree(table)

    return resultStep(root, total)
  }

  return trace.at(index) ?? null
}
