import { stateCodecs, stateKeys, verifyStateProof } from '../ledger/index.ts'
import { verifyOutcome } from '../wire/index.ts'
import { checkDescends, fromCheckpoint } from './checkpoint.ts'
import { DESCENDANTS_MAX, TIMEOUT_MS, WITNESSES_MAX } from './constants.ts'
import { CertificateError, OutcomeProofError, SourceError, StaleSourceError, StateProofError } from './errors.ts'
import { checkConsistent } from './fork.ts'
import { headerVerifier } from './headers.ts'
import { pastHeaders } from './history.ts'
import { ask } from './source.ts'
import { trustClock } from './trust.ts'
import { trustedAnchor } from './trusted.ts'
import { whyPaid } from './why.ts'
import { confirmedBy } from './witnesses.ts'
import type { Verified } from './fork.ts'
import type { HeaderVerifier } from './headers.ts'
import type { PastHeaders } from './history.ts'
import type { FinalHeader, HeaderSource, LightClient, LightClientInit, Proven, ReadOptions, TrustedHeader } from './interface.ts'
import type { TrustClock } from './trust.ts'
import type { Witness } from './witnesses.ts'
import type { AbortOptions, Account, CertifiedHeader, Hash, Header, Validator } from '../interface/index.ts'
import type { Codec } from '../wire/index.ts'
import type { CID } from 'multiformats/cid'

class DefaultLightClient implements LightClient, Witness {
  readonly #init: LightClientInit
  readonly #source: HeaderSource
  readonly #timeoutMs: number
  readonly #trust: TrustClock
  readonly #witnesses: Witness[]
  readonly #past: PastHeaders
  #verifier: HeaderVerifier
  #newest: CertifiedHeader | undefined
  #unverified: CertifiedHeader | undefined
  #checkpoint: Header | undefined
  #confirmedAtMs = 0

  constructor (init: LightClientInit) {
    const { checkpoint, genesis, newest, timeoutMs, trusted, trusting, witnesses = [] } = init

    this.#init = init
    this.#source = init.source
    this.#verifier = headerVerifier(genesis.chain, trusted === undefined ? { era: 0, validators: genesis.validators } : trustedAnchor(trusted))
    this.#timeoutMs = timeoutMs ?? TIMEOUT_MS
    this.#past = pastHeaders({ source: this.#source, timeoutMs: this.#timeoutMs, read: async (key, codec, at, options) => this.#readAt(key, codec, at, options) })
    this.#trust = trustClock(trusting === undefined || trusted === undefined ? trusting : { ...trusting, since: trusted.confirmedAtMs })
    // each follows the sets on its own: forged ones could not be told from ours otherwise
    this.#witnesses = witnesses.slice(0, WITNESSES_MAX).map(source => new DefaultLightClient({ genesis, checkpoint, trusted, source, timeoutMs }))

    if (trusted !== undefined) {
      this.#verifier.verify(trusted.header)
      this.#newest = trusted.header
      this.#confirmedAtMs = trusted.confirmedAtMs
    } else if (checkpoint === undefined && newest?.header.era === 0) {
      this.#verifier.verify(newest)
      this.#newest = newest
    } else if (checkpoint === undefined) {
      // its validators have to be learned first
      this.#unverified = newest
    }
  }

  get newest (): CertifiedHeader | undefined {
    return this.#newest
  }

  get trusted (): TrustedHeader | undefined {
    return this.#newest === undefined
      ? undefined
      : { header: this.#newest, validators: this.#verifier.validatorsOf(this.#newest.header).map(({ account, blsPublicKey, stake }) => ({ account, blsPublicKey, stake })), confirmedAtMs: this.#confirmedAtMs }
  }

  async sync (options: AbortOptions = {}): Promise<CertifiedHeader> {
    const asked = this.#trust.check()
    await this.#begin(options)

    // what was known when we asked: an answer that a concurrent one overtook is not stale
    const known = this.#newest
    const latest = await ask('its newest header', this.#timeoutMs, options, async within => this.#source.latest(within))
    await this.#followTo(latest.header.era, options)
    this.#verifier.verify(latest)
    this.#checkKnown(latest)

    if (known !== undefined && latest.header.height < known.header.height) {
      throw new StaleSourceError(known.header.height, latest.header.height)
    }

    if (this.#newest === undefined || latest.header.height > this.#newest.header.height) {
      await confirmedBy(this.#witnesses, this.#init.witnessesMin, this, latest, options)
      this.#checkKnown(latest)
      this.#advance(latest, asked)
    }

    return this.#newest ?? latest
  }

  #advance (latest: CertifiedHeader, asked: number): void {
    if (this.#newest === undefined || latest.header.height > this.#newest.header.height) {
      this.#newest = latest
      this.#trust.confirm(asked)
      this.#confirmedAtMs = Math.max(this.#confirmedAtMs, asked)
    }
  }

  /** Learns what we start from, if that needs the source. */
  async #begin (options: AbortOptions): Promise<void> {
    const { checkpoint, genesis, trusted } = this.#init

    if (trusted === undefined && checkpoint !== undefined && this.#checkpoint === undefined) {
      const { anchor, header } = await fromCheckpoint({ genesis, source: this.#source, timeoutMs: this.#timeoutMs }, checkpoint, options)

      if (this.#checkpoint === undefined) {
        this.#checkpoint = header
        this.#verifier = headerVerifier(genesis.chain, anchor)
      }
    }

    if (this.#unverified !== undefined) {
      const newest = this.#unverified
      await this.#followTo(newest.header.era, options)
      this.#verifier.verify(newest)
      this.#newest ??= newest
      this.#unverified = undefined
    }
  }

  /** Throws if a verified header contradicts what was known before. */
  #checkKnown (header: CertifiedHeader): void {
    if (this.#checkpoint !== undefined && this.#init.checkpoint !== undefined) {
      checkDescends(header.header, this.#checkpoint, this.#init.checkpoint)
    }

    if (this.#newest !== undefined) {
      checkConsistent(this.verified(this.#newest), this.verified(header))
    }
  }

  verified (header: CertifiedHeader): Verified {
    return { header, verifier: this.#verifier }
  }

  async header (height: number, options: AbortOptions = {}): Promise<FinalHeader> {
    if (this.#source.past === undefined) {
      return byItself(await this.certified(height, options))
    }

    if (this.#newest === undefined || this.#newest.header.height < height) {
      await this.sync(options)
    }

    return this.#atNewest(options, async newest => newest.header.height > height ? this.#past.header(height, newest, options) : byItself(await this.certified(height, options)))
  }

  async epochEnd (epoch: number, options: AbortOptions = {}): Promise<FinalHeader> {
    // it may have ended since
    await this.sync(options)

    return this.#atNewest(options, async newest => this.#past.epochEnd(epoch, newest, options))
  }

  /** The header at a height and the certificate that makes it final, which may be a descendant's. */
  async certified (height: number, options: AbortOptions): Promise<CertifiedHeader> {
    if (this.#newest?.header.height === height) {
      return this.#newest
    }

    this.#trust.check()
    await this.#begin(options)

    const chain: CertifiedHeader[] = []

    do {
      const wanted = height + chain.length
      const found = await ask(`the header at height ${wanted}`, this.#timeoutMs, options, async within => this.#source.header(wanted, within))

      if (found.header.height !== wanted) {
        throw new CertificateError(wanted, `the source gave the header at height ${found.header.height}`)
      }

      chain.push(found)
    } while (chain[chain.length - 1].certificate.kind !== 'finalize' && chain.length <= DESCENDANTS_MAX)

    await this.#followTo(chain[0].header.era, options)
    this.#verifier.verifyDescent(chain)
    this.#checkKnown(chain[0])

    return chain[0]
  }

  /** Learns the sets up to an era, one certificate each. */
  async #followTo (era: number, options: AbortOptions): Promise<void> {
    const source = this.#source

    while (this.#verifier.era < era && source.eraChange !== undefined) {
      const next = this.#verifier.era + 1
      const change = await ask(`the validators of era ${next}`, this.#timeoutMs, options, async within => source.eraChange?.(next, within))

      if (change === undefined) {
        return
      }

      // somebody else may have followed meanwhile
      if (this.#verifier.era === next - 1) {
        this.#verifier.follow(change)
      }
    }
  }

  validatorsOf ({ header }: CertifiedHeader): Validator[] {
    return this.#verifier.validatorsOf(header)
  }

  signersOf (certified: CertifiedHeader): ReturnType<LightClient['signersOf']> {
    return this.#verifier.signersOf(certified)
  }

  async #read<T> (key: string, codec: Codec<T>, options: ReadOptions = {}): Promise<Proven<T>> {
    if (options.height !== undefined) {
      return this.#readAt(key, codec, await this.header(options.height, options), options)
    }

    return this.#atNewest(options, async newest => this.#readAt(key, codec, byItself(newest), options))
  }

  /** By the newest header; once more by a newer one, because sources keep the states of recent heights only. */
  async #atNewest<T> (options: AbortOptions, read: (newest: CertifiedHeader) => Promise<T>): Promise<T> {
    const newest = this.#newest ?? await this.sync(options)

    try {
      return await read(newest)
    } catch (error) {
      if (!(error instanceof SourceError) || await this.sync(options) === newest) {
        throw error
      }
    }

    return read(this.#newest ?? newest)
  }

  async #readAt<T> (key: string, codec: Codec<T>, at: FinalHeader, options: AbortOptions): Promise<Proven<T>> {
    const { height, stateRoot } = at.header
    const proof = await ask(`a proof of ${key}`, this.#timeoutMs, options, async within => this.#source.proof(key, height, within))

    if (proof.key !== key) {
      throw new StateProofError(key, height, `it is one of ${JSON.stringify(String(proof.key).slice(0, 100))}`)
    }

    if (!verifyStateProof(stateRoot, proof)) {
      throw new StateProofError(key, height, 'it does not lead to the certified state root')
    }

    return { value: proof.value === null ? null : codec.decode(proof.value), at }
  }

  async outcome (transaction: CID, options: AbortOptions = {}): ReturnType<LightClient['outcome']> {
    const proof = await ask(`what became of ${transaction.toString()}`, this.#timeoutMs, options, async within => {
      if (this.#source.outcome === undefined) {
        throw new OutcomeProofError(transaction.toString(), 0, 'this source has none')
      }

      return this.#source.outcome(transaction, within)
    })
    const { height, outcome } = proof
    const id = outcome.id.toString()

    if (id !== transaction.toString()) {
      throw new OutcomeProofError(transaction.toString(), height, `it is one of ${id}`)
    }

    const at = await this.header(height, options)

    if (!verifyOutcome(at.header.outcomesRoot, proof)) {
      throw new OutcomeProofError(transaction.toString(), height, 'it does not lead to the certified header')
    }

    return { value: outcome, at }
  }

  account = async (account: Account, options?: ReadOptions): ReturnType<LightClient['account']> => this.#read(stateKeys.account(account), stateCodecs.account, options)
  adapter = async (adapter: CID, options?: ReadOptions): ReturnType<LightClient['adapter']> => this.#read(stateKeys.adapter(adapter), stateCodecs.adapter, options)
  attestation = async (subject: CID, validator: Account, options?: ReadOptions): ReturnType<LightClient['attestation']> => this.#read(stateKeys.attestation(subject, validator), stateCodecs.attestation, options)
  chain = async (options?: ReadOptions): ReturnType<LightClient['chain']> => this.#read(stateKeys.chain, stateCodecs.chain, options)
  contribution = async (contribution: CID, options?: ReadOptions): ReturnType<LightClient['contribution']> => this.#read(stateKeys.contribution(contribution), stateCodecs.contribution, options)
  datanet = async (datanet: CID, options?: ReadOptions): ReturnType<LightClient['datanet']> => this.#read(stateKeys.datanet(datanet), stateCodecs.datanet, options)
  payout = async (task: Hash, contribution: CID, options?: ReadOptions): ReturnType<LightClient['payout']> => this.#read(stateKeys.payout(task, contribution), stateCodecs.payout, options)
  proposal = async (proposal: number, options?: ReadOptions): ReturnType<LightClient['proposal']> => this.#read(stateKeys.proposal(proposal), stateCodecs.proposal, options)
  task = async (task: Hash, options?: ReadOptions): ReturnType<LightClient['task']> => this.#read(stateKeys.task(task), stateCodecs.task, options)

  async why (task: Hash, contribution: CID, options: AbortOptions = {}): ReturnType<LightClient['why']> {
    return whyPaid({ client: this, genesis: this.#init.genesis, source: this.#source, timeoutMs: this.#timeoutMs }, task, contribution, options)
  }
}

const byItself = (by: CertifiedHeader): FinalHeader => ({ header: by.header, by })

/** A light client. Does no I/O until it is asked. */
export function lightClient (init: LightClientInit): LightClient {
  return new DefaultLightClient(init)
}
