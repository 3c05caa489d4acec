import { signersOf } from '../consensus/index.ts'
import { readChain, readConviction, readValidators, stateKeys } from '../ledger/index.ts'
import { toError } from '../utils/index.ts'
import { equalBytes } from '../wire/index.ts'
import { CULPRIT_PAUSE_BLOCKS, CULPRIT_SEARCHES_MAX, EVIDENCE_MAX, REPORT_STAGGER_BLOCKS, REPORT_TIMEOUT_MS } from './constants.ts'
import type { Chain } from './interface.ts'
import type { Evidence, Vote } from '../consensus/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Account, Certificate, CertifiedStatement, SignedStatement, Startable, TransactionBody, Validator } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'

export interface ReportingInit {
  /** who reports, pays the fee and is rewarded */
  signer: Signer
  onError? (error: Error): void
}

/** What of the chain is needed to report. */
export type ReportingChain = Pick<Chain, 'addEventListener' | 'removeEventListener' | 'contradiction' | 'evidence' | 'height' | 'send' | 'state' | 'validatorsOf'>

interface Case {
  evidence: Evidence
  /** before it the others have their turn */
  fromHeight: number
  /** how often its authors were looked for and not found */
  searches: number
}

export interface AccusationReport {
  body: TransactionBody
  accused: Account[]
}

/**
 * The transaction that brings a contradiction before the ledger.
 *
 * @param validators - the set of its era
 * @returns undefined if the set has no such validator
 */
export function reportOf (validators: Validator[], evidence: Evidence): AccusationReport | undefined {
  const { first: { era, view } } = evidence

  if (evidence.type === 'conflicting-votes') {
    const { first, second } = evidence
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

/** Of the set of the evidence's own era, which the chain may have left; a fork's authors are looked for. */
async function prepare (chain: ReportingChain, evidence: Evidence, options: AbortOptions): Promise<AccusationReport | undefined> {
  if (evidence.type === 'conflicting-votes') {
    return reportOf(await chain.validatorsOf(evidence.first.era), evidence)
  }

  const found = await chain.contradiction([evidence.first, evidence.second], options)

  return found === undefined ? undefined : reportOf(found.validators, { type: 'conflicting-certificates', first: found.first, second: found.second })
}

/** Whether the ledger still judges an era, and anybody who is accused is left to convict. */
function isOpen (state: LedgerState, era: number, accused: Account[]): boolean {
  return (era === readChain(state).era || state.map.get(stateKeys.era(era)) !== undefined) && accused.some(account => readConviction(state, account) === undefined)
}

/**
 * Reports validators that contradict themselves, as soon as consensus has the proof, and after a
 * restart what was not judged before it. Every node sees it, so they take turns: validators in the
 * order of the set, then all others, until the ledger has convicted all whom it accuses.
 */
export function reporting ({ signer, onError }: ReportingInit): (components: { chain: ReportingChain }) => Startable {
  return ({ chain }) => {
    const cases: Case[] = []
    let controller = new AbortController()
    let working: Promise<unknown> | undefined

    const take = (evidence: Evidence): void => {
      if (cases.length < EVIDENCE_MAX) {
        const validators = readValidators(chain.state())
        const place = validators.findIndex(({ account }) => equalBytes(account, signer.account))

        cases.push({ evidence, fromHeight: chain.height + (place < 0 ? validators.length : place) * REPORT_STAGGER_BLOCKS, searches: 0 })
        onBlock()
      }
    }

    const onEvidence = ({ detail }: CustomEvent<Evidence>): void => { take(detail) }

    const report = async (one: Case): Promise<void> => {
      const { signal } = controller
      const accusation = await prepare(chain, one.evidence, { signal })

      if (accusation === undefined) {
        one.searches++
        one.fromHeight = chain.height + CULPRIT_PAUSE_BLOCKS * 2 ** one.searches
        cases.push(...one.searches < CULPRIT_SEARCHES_MAX ? [one] : [])
      } else if (isOpen(chain.state(), one.evidence.first.era, accusation.accused)) {
        await chain.send(accusation.body, signer, { signal: AbortSignal.any([signal, AbortSignal.timeout(REPORT_TIMEOUT_MS)]) })
      }
    }

    const onBlock = (): void => {
      const next = cases.findIndex(({ fromHeight }) => chain.height >= fromHeight)

      if (next >= 0 && working === undefined) {
        working = report(cases.splice(next, 1)[0])
          .catch((error: unknown) => { onError?.(toError(error)) })
          .finally(() => { working = undefined })
      }
    }

    return {
      async start () {
        controller = new AbortController()
        chain.addEventListener('evidence', onEvidence)
        chain.addEventListener('block', onBlock)
        chain.evidence().forEach(take)
      },
      async stop () {
        chain.removeEventListener('evidence', onEvidence)
        chain.removeEventListener('block', onBlock)
        controller.abort()
        await working
        cases.length = 0
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
