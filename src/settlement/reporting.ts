import { signersOf } from '../consensus/index.ts'
import { readChain, readConviction, readValidators } from '../ledger/index.ts'
import { toError } from '../utils/index.ts'
import { equalBytes } from '../wire/index.ts'
import { EVIDENCE_MAX, REPORT_STAGGER_BLOCKS, REPORT_TIMEOUT_MS } from './constants.ts'
import type { SettlementBackend } from './interface.ts'
import type { Evidence, Vote } from '../consensus/index.ts'
import type { Signer } from '../identity/index.ts'
import type { Account, Certificate, CertifiedStatement, SignedStatement, Startable, TransactionBody, Validator } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'

export interface ReportingInit {
  /** who reports, pays the fee and is rewarded */
  signer: Signer
  onError? (error: Error): void
}

interface Report {
  body: TransactionBody
  accused: Account[]
  /** before it the others have their turn */
  fromHeight: number
}

/**
 * The transaction that brings evidence before the ledger.
 *
 * @param state - of the era in which the evidence was seen
 * @returns undefined if it is of another era, or of certificates of different views, which convict nobody without the nullification between them
 */
export function reportOf (state: LedgerState, evidence: Evidence): { body: TransactionBody, accused: Account[] } | undefined {
  const { first, second } = evidence
  const validators = readValidators(state)
  const { era, view } = first

  if (era !== readChain(state).era || second.era !== era || second.view !== view) {
    return undefined
  }

  if (evidence.type === 'conflicting-votes') {
    const accused: Validator | undefined = validators[evidence.validator]

    return accused === undefined
      ? undefined
      : { body: { kind: 'report-votes', blsPublicKey: accused.blsPublicKey, era, view, first: statement(first), second: statement(second) }, accused: [accused.account] }
  }

  const [some, others] = [evidence.first, evidence.second].map(({ signers }) => new Set(signersOf(signers, validators.length)))

  return {
    body: { kind: 'report-certificates', era, view, first: certified(evidence.first), second: certified(evidence.second), validators },
    accused: validators.filter((_, index) => some.has(index) && others.has(index)).map(({ account }) => account)
  }
}

/**
 * Reports validators that contradict themselves, as soon as consensus has the proof. Every node sees
 * it, so they take turns: validators in the order of the set, then all others, until the ledger has
 * convicted all whom it accuses.
 */
export function reporting ({ signer, onError }: ReportingInit): (components: { chain: SettlementBackend }) => Startable {
  return ({ chain }) => {
    const waiting: Report[] = []
    let controller = new AbortController()
    let sending: Promise<unknown> | undefined

    const onEvidence = ({ detail }: CustomEvent<Evidence>): void => {
      const report = reportOf(chain.state(), detail)

      if (report !== undefined && waiting.length < EVIDENCE_MAX) {
        const validators = readValidators(chain.state())
        const place = validators.findIndex(({ account }) => equalBytes(account, signer.account))

        waiting.push({ ...report, fromHeight: chain.height + (place < 0 ? validators.length : place) * REPORT_STAGGER_BLOCKS })
        onBlock()
      }
    }

    const onBlock = (): void => {
      const [next] = waiting

      if (next === undefined || sending !== undefined) {
        return
      }

      if (next.accused.every(account => readConviction(chain.state(), account) !== undefined)) {
        waiting.shift()
      } else if (chain.height >= next.fromHeight) {
        waiting.shift()
        sending = chain.send(next.body, signer, { signal: AbortSignal.any([controller.signal, AbortSignal.timeout(REPORT_TIMEOUT_MS)]) })
          .catch((error: unknown) => { onError?.(toError(error)) })
          .finally(() => { sending = undefined })
      }
    }

    return {
      async start () {
        controller = new AbortController()
        chain.addEventListener('evidence', onEvidence)
        chain.addEventListener('block', onBlock)
      },
      async stop () {
        chain.removeEventListener('evidence', onEvidence)
        chain.removeEventListener('block', onBlock)
        controller.abort()
        await sending
      }
    }
  }
}

function statement ({ kind, blockHash, signature }: Vote | Certificate): SignedStatement {
  return { kind, blockHash, signature }
}

function certified (certificate: Certificate): CertifiedStatement {
  return { ...statement(certificate), signers: certificate.signers }
}
