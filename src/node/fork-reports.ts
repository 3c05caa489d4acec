import { certificateValid } from '../consensus/index.ts'
import { bls } from '../identity/index.ts'
import { readChain, readConviction, readValidators } from '../ledger/index.ts'
import { forkEvidenceCodec } from '../light-client/index.ts'
import { cidOf, codec, equalBytes, headerHash, nullable, recordCid, struct } from '../wire/index.ts'
import { FORK_REPORTS_AT_ONCE, FORK_REPORT_TIMEOUT_MS } from './constants.ts'
import { EvidenceError, NoPeerError } from './errors.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Account, CertifiedHeader, CertifiedStatement, Validator } from '../interface/index.ts'
import type { ForkEvidence } from '../light-client/index.ts'
import type { Chain } from '../settlement/index.ts'
import type { CID } from 'multiformats/cid'

/** What came of a report: the transaction that convicts, or null if all of them were convicted before. */
export interface ForkReport {
  transaction: CID | null
}

const forkReportCodec = codec('fork report', struct({ transaction: nullable(recordCid) }))

export const forkReportProtocol = (chain: string): string => `/datanet/${chain}/forks/1`

export interface ForkReportsComponents {
  chain: Pick<Chain, 'id' | 'state' | 'eraChange' | 'send'>
  /** pays the fee and gets the reward */
  signer: Signer
}

/** Brings light clients' evidence of forks before the ledger, the same evidence once. */
export interface ForkReports {
  /**
   * Verifies both certificates and sends the transaction.
   *
   * @param bytes - `forkEvidenceCodec`
   * @throws {MalformedRecordError} and its kin, {EvidenceError} if it convicts nobody by itself
   */
  report (bytes: Uint8Array, options?: AbortOptions): Promise<ForkReport>
}

/** @returns reports that pay only for what the ledger will believe: a stranger's false evidence costs a check of signatures */
export function forkReports ({ chain, signer }: ForkReportsComponents): ForkReports {
  const underWay = new Map<string, Promise<ForkReport>>()

  async function send (evidence: ForkEvidence, options: AbortOptions): Promise<ForkReport> {
    const { era, view } = evidence.first.certificate
    const validators = await contradiction(chain, evidence)

    if (accusedOf(evidence, validators).every(account => readConviction(chain.state(), account) !== undefined)) {
      return { transaction: null }
    }

    const result = await chain.send({ kind: 'report-certificates', era, view, first: statement(evidence.first), second: statement(evidence.second), validators }, signer, options)

    if (!result.ok) {
      throw new EvidenceError(`the ledger refused it: ${result.message ?? result.code ?? 'without a reason'}`)
    }

    return { transaction: result.id }
  }

  return {
    async report (bytes, { signal } = {}) {
      const evidence = forkEvidenceCodec.decode(bytes)
      const key = cidOf(bytes).toString()
      const known = underWay.get(key)

      if (known === undefined && underWay.size >= FORK_REPORTS_AT_ONCE) {
        throw new EvidenceError(`${FORK_REPORTS_AT_ONCE} reports are under way already: send it later`)
      }

      const timeout = AbortSignal.timeout(FORK_REPORT_TIMEOUT_MS)
      const sending = known ?? send(evidence, { signal: signal == null ? timeout : AbortSignal.any([signal, timeout]) }).finally(() => { underWay.delete(key) })

      underWay.set(key, sending)

      return sending
    }
  }
}

/** Answers light clients that saw a fork. Register once. */
export function serveForkReports (network: Network, chain: string, reports: ForkReports): void {
  network.handle(forkReportProtocol(chain), {
    requestBytesMax: forkEvidenceCodec.bytesMax, responseBytesMax: forkReportCodec.bytesMax, timeoutMs: FORK_REPORT_TIMEOUT_MS, concurrency: FORK_REPORTS_AT_ONCE
  }, async request => forkReportCodec.encode(await reports.report(request)))
}

/**
 * Sends evidence to the connected peers, one after the other, until one of them has brought it
 * before the ledger: whoever made the fork may be among them.
 *
 * @throws {EvidenceError | NoPeerError}
 */
export async function reportFork (network: Network, chain: string, evidence: ForkEvidence, options: AbortOptions = {}): Promise<ForkReport> {
  const bytes = forkEvidenceCodec.encode(evidence)
  const causes: unknown[] = []

  for (const { peer } of network.peers()) {
    options.signal?.throwIfAborted()

    try {
      return forkReportCodec.decode(await network.request(peer, forkReportProtocol(chain), bytes, { ...options, timeoutMs: FORK_REPORT_TIMEOUT_MS, responseBytesMax: forkReportCodec.bytesMax }))
    } catch (err) {
      causes.push(err)
    }
  }

  if (causes.length === 0) {
    throw new NoPeerError([])
  }

  throw new EvidenceError('no peer brought it before the ledger', new AggregateError(causes))
}

/**
 * The set that signed both certificates of one view.
 *
 * @throws {EvidenceError} if the two do not contradict each other within one view, or do not verify
 */
async function contradiction (chain: ForkReportsComponents['chain'], { first, second }: ForkEvidence): Promise<Validator[]> {
  const [one, other] = [first.certificate, second.certificate]

  // of different views the accusation needs the nullification between them, which headers do not carry
  if (one.era !== other.era || one.view !== other.view || one.kind !== other.kind || equalBytes(one.blockHash, other.blockHash)) {
    throw new EvidenceError('expected two certificates of one kind for two blocks in one view: keep the record, people can judge it')
  }

  if (!equalBytes(one.blockHash, headerHash(first.header)) || !equalBytes(other.blockHash, headerHash(second.header))) {
    throw new EvidenceError('expected certificates of the headers that it shows')
  }

  const state = chain.state()
  const validators: Validator[] = one.era === readChain(state).era ? readValidators(state) : (await chain.eraChange(one.era)).validators

  if (![one, other].every(certificate => certificateValid(certificate, validators, bls, chain.id))) {
    throw new EvidenceError('expected certificates of more than two thirds of the stake')
  }

  return validators
}

/** By the record; the ledger counts the bitmaps again. */
function accusedOf ({ accused }: ForkEvidence, validators: Validator[]): Account[] {
  return accused.filter(account => validators.some(validator => equalBytes(validator.account, account)))
}

function statement ({ certificate: { kind, blockHash, signature, signers } }: CertifiedHeader): CertifiedStatement {
  return { kind, blockHash, signature, signers }
}
