import { stateCodecs, stateKeys } from '../ledger/index.ts'
import { headerHash, verifyMerkleProof } from '../wire/index.ts'
import { HistoryProofError } from './errors.ts'
import { ask } from './source.ts'
import type { FinalHeader, HeaderSource, Proven } from './interface.ts'
import type { AbortOptions, CertifiedHeader, Hash, PastHeader } from '../interface/index.ts'
import type { HistoryState } from '../ledger/index.ts'
import type { Codec } from '../wire/index.ts'

export interface PastInit {
  source: HeaderSource
  timeoutMs: number
  /** a value of the state after a certified header */
  read <T> (key: string, codec: Codec<T>, at: FinalHeader, options: AbortOptions): Promise<Proven<T>>
}

/**
 * Headers of the past, by the trees that the state of a certified header commits to: see
 * protocols/history. Which leaf and of how many follows from what was asked and from the certified
 * state, never from the source.
 */
export interface PastHeaders {
  /** @throws {HistoryProofError | StateProofError | SourceError | MalformedRecordError} */
  header (height: number, by: CertifiedHeader, options: AbortOptions): Promise<FinalHeader>
  /** @throws {HistoryProofError | StateProofError | SourceError | MalformedRecordError} */
  epochEnd (epoch: number, by: CertifiedHeader, options: AbortOptions): Promise<FinalHeader>
}

function check (what: string, { header, path }: PastHeader, by: CertifiedHeader, root: Hash, index: number, size: number): FinalHeader {
  if (!verifyMerkleProof(root, headerHash(header), index, size, path)) {
    throw new HistoryProofError(what, by.header.height, 'the path of what the source gave does not lead to its root')
  }

  return { header, by }
}

export function pastHeaders ({ source, timeoutMs, read }: PastInit): PastHeaders {
  // one proof of the roots serves all headers that are read by it
  let known: { by: CertifiedHeader, history: HistoryState } | undefined

  async function historyOf (by: CertifiedHeader, options: AbortOptions): Promise<HistoryState> {
    if (known?.by === by) {
      return known.history
    }

    const { value } = await read(stateKeys.history, stateCodecs.history, { header: by.header, by }, options)

    if (value === null) {
      throw new HistoryProofError('anything', by.header.height, 'that state has no history')
    }

    known = { by, history: value }

    return value
  }

  return {
    async header (height, by, options) {
      const what = `the header at height ${height}`
      const size = by.header.height
      const { blocks } = await historyOf(by, options)
      const past = await ask(what, timeoutMs, options, async within => given(what, size, source.past?.(height, size, within)))

      if (past.header.height !== height) {
        throw new HistoryProofError(what, size, `the source gave the one at height ${past.header.height}`)
      }

      return check(what, past, by, blocks, height, size)
    },
    async epochEnd (epoch, by, options) {
      const what = `the last header of epoch ${epoch}`
      const { epochs, epochEnds } = await historyOf(by, options)

      if (epoch >= epochs) {
        throw new HistoryProofError(what, by.header.height, `it has those of ${epochs} epochs, from 0 on`, 'wait until the epoch is over and a block follows')
      }

      const past = await ask(what, timeoutMs, options, async within => given(what, by.header.height, source.epochEnd?.(epoch, epochs, within)))

      return check(what, past, by, epochEnds, epoch, epochs)
    }
  }
}

async function given (what: string, height: number, past: Promise<PastHeader> | undefined): Promise<PastHeader> {
  if (past === undefined) {
    throw new HistoryProofError(what, height, 'this source has no paths')
  }

  return past
}
