import { setTimeout as delay } from 'node:timers/promises'
import { TypedEventEmitter } from 'main-event'
import PQueue from 'p-queue'
import { signRecord } from '../identity/index.ts'
import { listAdapters, listContributions, readAdapter, readAttestation, readContribution, readOwner } from '../ledger/index.ts'
import { toError } from '../utils/index.ts'
import { attestationCodec, domains, signedCodec } from '../wire/index.ts'
import { ADAPTER_TIMEOUT_MS, CONTRIBUTION_TIMEOUT_MS, EARLIER_ATTEMPTS_MAX, RETRY_MS, RETRY_MS_MAX, SUBJECTS_MAX } from './constants.ts'
import { AttestationRefusedError, CannotJudgeError } from './errors.ts'
import { Judge } from './judge.ts'
import type { Validator, ValidatorComponents, ValidatorEvents, ValidatorInit } from './interface.ts'
import type { Account, Attestation, CheckResult, FinalisedBlock, Signed } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

const signedAttestationCodec = signedCodec(attestationCodec)

type Kind = Attestation['subjectKind']

export class ValidatorService extends TypedEventEmitter<ValidatorEvents> implements Validator {
  private readonly init: ValidatorInit
  private readonly components: ValidatorComponents
  private readonly judge: Judge
  private readonly subjects = new Map<string, Promise<void>>()
  /** subjects that were entered anew while the entry before was still looked at */
  private readonly again = new Set<string>()
  // one at a time: both are work for the processor, and contributions build on each other
  private readonly queues = { contribution: new PQueue({ concurrency: 1 }), adapter: new PQueue({ concurrency: 1 }) }
  private running?: AbortController

  constructor (init: ValidatorInit, components: ValidatorComponents) {
    super()
    this.init = init
    this.components = components
    this.judge = new Judge(components)
  }

  get pending (): number {
    return this.subjects.size
  }

  async start (): Promise<void> {
    if (this.running !== undefined) {
      return
    }
    this.running = new AbortController()
    this.components.chain.addEventListener('block', this.onBlock)
    this.components.chain.addEventListener('leap', this.onLeap)
    this.sweep()
  }

  async stop (): Promise<void> {
    this.running?.abort()
    this.running = undefined
    this.components.chain.removeEventListener('block', this.onBlock)
    this.components.chain.removeEventListener('leap', this.onLeap)
    await Promise.all(this.subjects.values())
  }

  private readonly onBlock = (event: CustomEvent<FinalisedBlock>): void => {
    for (const change of event.detail.events) {
      if (change.type === 'contribution' && change.status === 'pending') {
        this.take('contribution', change.contribution)
      } else if (change.type === 'adapter' && change.status === 'pending') {
        this.take('adapter', change.adapter)
      }
    }
  }

  private readonly onLeap = (): void => { this.sweep() }

  /** Finds all that is pending: at the start, after blocks that were never here, and when the bound may have made us drop something. */
  private sweep (): void {
    const state = this.components.chain.state()
    const contributions = [...listContributions(state)].filter(entry => entry.state.status === 'pending')
    contributions.sort((a, b) => a.state.height - b.state.height || a.state.index - b.state.index)
    contributions.forEach(({ contribution }) => { this.take('contribution', contribution) })
    for (const { adapter, state: { status } } of listAdapters(state)) {
      if (status === 'pending') {
        this.take('adapter', adapter)
      }
    }
  }

  private take (kind: Kind, subject: CID): void {
    const key = subject.toString()
    const signal = this.running?.signal
    if (this.subjects.has(key)) {
      this.again.add(key)
      return
    }
    if (signal === undefined || signal.aborted || this.subjects.size >= SUBJECTS_MAX || !this.isOpen(kind, subject)) {
      return
    }
    const full = this.subjects.size === SUBJECTS_MAX - 1
    const done = this.work(kind, subject, signal).catch(() => {
      // stopped: what is pending is found again at the next start
    }).finally(() => {
      this.subjects.delete(key)
      if (full && !signal.aborted) {
        this.sweep()
      }
      if (this.again.delete(key)) {
        this.take(kind, subject)
      }
    })
    this.subjects.set(key, done)
  }

  /** Pending, and not attested by us: what the ledger says survives a restart, so nothing else is kept. */
  private isOpen (kind: Kind, subject: CID): boolean {
    const state = this.components.chain.state()
    const status = (kind === 'contribution' ? readContribution(state, subject) : readAdapter(state, subject))?.status
    return status === 'pending' && readAttestation(state, subject, this.components.signer.account) === undefined
  }

  private async work (kind: Kind, subject: CID, signal: AbortSignal): Promise<void> {
    const first = this.init.retryMs ?? RETRY_MS
    for (let attempt = 1; this.isOpen(kind, subject); attempt++) {
      try {
        await this.queues[kind].add(async () => this.attempt(kind, subject, attempt, signal), { signal })
        return
      } catch (err) {
        signal.throwIfAborted()
        const error = toError(err)
        if (error instanceof CannotJudgeError) {
          this.safeDispatchEvent('skipped', { detail: { subject, error } })
          return
        }
        this.safeDispatchEvent('postponed', { detail: { subject, error, attempt } })
      }
      await delay(Math.min(first * 2 ** Math.min(attempt - 1, 16), RETRY_MS_MAX), undefined, { signal })
    }
  }

  private async attempt (kind: Kind, subject: CID, attempt: number, signal: AbortSignal): Promise<void> {
    if (!this.isOpen(kind, subject)) {
      return
    }
    const timeoutMs = kind === 'contribution' ? CONTRIBUTION_TIMEOUT_MS : ADAPTER_TIMEOUT_MS
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    // the ledger refuses the verdict if this entry gives way to another one meanwhile
    const owner = readOwner(this.components.chain.state(), subject)
    const checks = await this.check(kind, subject, attempt, bounded)
    if (owner !== undefined && this.isOpen(kind, subject)) {
      await this.attest(kind, subject, owner, checks, bounded)
    }
  }

  private async check (kind: Kind, subject: CID, attempt: number, signal: AbortSignal): Promise<CheckResult[]> {
    const ledger = this.components.chain.state()
    if (kind === 'contribution') {
      const state = readContribution(ledger, subject)
      const patient = attempt < (this.init.earlierAttemptsMax ?? EARLIER_ATTEMPTS_MAX)
      return state === undefined ? [] : this.judge.contribution({ contribution: subject, state }, patient, { signal })
    }
    const state = readAdapter(ledger, subject)
    return state === undefined ? [] : this.judge.adapter(subject, state, { signal })
  }

  private async attest (kind: Kind, subject: CID, owner: Account, checks: CheckResult[], signal: AbortSignal): Promise<void> {
    const { storage, chain, signer } = this.components
    const verdict = checks.length > 0 && checks.every(check => check.passed) ? 'admit' : 'reject'
    const payload: Attestation = { type: 'attestation', version: 1, subject, subjectKind: kind, validator: signer.account, verdict, checks }
    const record: Signed<Attestation> = signRecord(domains.attestation, attestationCodec, payload, signer)
    const attestation = await storage.put(signedAttestationCodec.encode(record), { pin: true, signal })
    const result = await chain.send({ kind: 'attest', subject, owner, verdict, attestation }, signer, { signal })
    if (!result.ok && result.code === 'ERR_NOT_VALIDATOR') {
      throw new CannotJudgeError(subject, 'its account is no validator')
    }
    // a transaction of ours from before a crash may have come first
    if (!result.ok && result.code !== 'ERR_ALREADY_ATTESTED') {
      throw new AttestationRefusedError(subject, result.code ?? 'ERR_TRANSACTION_FAILED', result.message ?? 'it gave no reason')
    }
    this.safeDispatchEvent('attested', { detail: { subject, attestation, record } })
  }
}
