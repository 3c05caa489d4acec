import { certificateValid } from '../consensus/index.ts'
import { bls } from '../identity/index.ts'
import { readConviction } from '../ledger/index.ts'
import { forkEvidenceCodec } from '../light-client/index.ts'
import { reportOf } from '../settlement/index.ts'
import { cidOf, codec, equalBytes, headerHash, nullable, recordCid, struct } from '../wire/index.ts'
import { FORK_REPORTS_AT_ONCE, FORK_REPORT_TIMEOUT_MS } from './constants.ts'
import { EvidenceError, NoPeerError } from './errors.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions } from '../interface/index.ts'
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
  chain: Pick<Chain, 'id' | 'state' | 'validatorsOf' | 'contradiction' | 'send'>
  /** pays the fee and gets the reward */
  signer: Signer
}

/** Brings light clients' evidence of forks before the ledger, the same evidence once. */
export interface ForkReports {
  /**
   * Verifies both certificates, looks for what convicts if they are of different views, and sends the transaction.
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
    await checkFork(chain, evidence)
    const found = await chain.contradiction([evidence.first.certificate, evidence.second.certificate], options)
    const report = found === undefined ? undefined : reportOf(found.validators, { type: 'conflicting-certificates', first: found.first, second: found.second })

    if (report === undefined) {
      throw new EvidenceError('nobody here has the nullification of the lower view, or its other block, without which it convicts nobody: keep the record, and ask another node')
    }

    if (report.accused.every(account => readConviction(chain.state(), account) !== undefined)) {
      return { transaction: null }
    }

    const result = await chain.send(report.body, signer, options)

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
 * That two headers cannot be of one chain, and that each has its certificate: nobody is asked about
 * anything else.
 *
 * @throws {EvidenceError}
 */
async function checkFork (chain: ForkReportsComponents['chain'], { first, second }: ForkEvidence): Promise<void> {
  const heights = second.header.height - first.header.height
  const views = second.header.view - first.header.view
  const hashes = [first, second].map(({ header }) => headerHash(header))

  if (heights === 0 ? equalBytes(hashes[0], hashes[1]) : heights * views > 0) {
    throw new EvidenceError('expected two headers of one height, or heights and views that do not rise together')
  }

  for (const [i, { header, certificate }] of [first, second].entries()) {
    if (certificate.era !== header.era || !equalBytes(certificate.blockHash, hashes[i]) || !certificateValid(certificate, await chain.validatorsOf(header.era), bls, chain.id)) {
      throw new EvidenceError('expected the headers\' own certificates, of more than two thirds of the stake')
    }
  }
}
