import { equalBytes, toHex } from '../wire/index.ts'
import { bitmapOf, certificateValid, voteValid } from './certificates.ts'
import { BARRED_VIEWS, RELAYERS, VIEWS_AHEAD_MAX } from './constants.ts'
import { enterView } from './pacing.ts'
import { certificateAt, emit, finalizedView, leader, viewState } from './state.ts'
import { voteBytes, voteWellFormed } from './votes.ts'
import type { Verdict, Vote, VoteKind } from './interface.ts'
import type { Machine, StoredVote } from './state.ts'
import type { Certificate } from '../interface/index.ts'

/** What an honest validator never says of the same view. */
const OPPOSITE: Record<VoteKind, VoteKind | null> = { notarize: null, nullify: 'finalize', finalize: 'nullify' }

export const judge = (machine: Machine, verdict: Verdict, reason: string): void => {
  emit(machine, { type: 'judge', verdict, reason })
}

/** Notes that a validator is alive, and how far it is. */
export const heard = ({ state }: Machine, validator: number, view: number): void => {
  state.silent[validator] = false
  state.lastHeardMs[validator] = state.nowMs
  state.heardView[validator] = Math.max(state.heardView[validator], view)
}

/**
 * Takes a vote from its validator. Signatures are not verified here: a quorum of equal votes is
 * aggregated and verified once. A sender of garbage is found by bisection then, and barred.
 */
export const receiveVote = (machine: Machine, from: number, vote: Vote): void => {
  const { state, config } = machine

  if (vote.era !== config.era) {
    judge(machine, 'ignore', 'a vote of another era')
    return
  }

  if (!voteWellFormed(vote, config.validators.length) || vote.validator !== from) {
    judge(machine, 'reject', 'a vote that is malformed or not its sender\'s own')

    if (Number.isInteger(from) && from >= 0 && from < config.validators.length) {
      emit(machine, { type: 'penalise', validator: from, reason: 'malformed-vote' })
    }

    return
  }

  if (from === config.self || state.barredUntilView[from] > state.view) {
    judge(machine, 'ignore', 'a vote of this node itself or of a barred validator')
    return
  }

  heard(machine, from, vote.view)

  if (vote.view <= state.final.view || vote.view > state.view + VIEWS_AHEAD_MAX) {
    judge(machine, 'ignore', 'a vote for a view that is final or too far ahead')
    return
  }

  const known = viewState(machine, vote.view).votes[vote.kind].get(from)

  if (known !== undefined && known.key === toHex(vote.blockHash)) {
    judge(machine, 'ignore', 'a vote that is already here')
    return
  }

  judge(machine, 'accept', 'a vote')
  addVote(machine, { vote, key: toHex(vote.blockHash), checked: false })
}

/** Counts a vote, own or received, looks for a contradiction, and makes the certificate if it completes a quorum. */
export const addVote = (machine: Machine, stored: StoredVote): void => {
  const { kind, view, validator } = stored.vote
  const current = viewState(machine, view)
  const known = current.votes[kind].get(validator)

  if (known !== undefined && known.key !== stored.key) {
    if (!contradiction(machine, known, stored)) {
      return
    }
  } else if (known === undefined || stored.checked) {
    current.votes[kind].set(validator, stored)
  }

  const opposite = OPPOSITE[kind]
  const other = opposite === null ? undefined : current.votes[opposite].get(validator)

  if (other !== undefined && current.votes[kind].has(validator)) {
    contradiction(machine, other, stored)
  }

  assemble(machine, view, stored)
}

/**
 * Two votes of one validator that an honest one never gives together. Both signatures are checked
 * before anybody is accused. An unproven first vote gives way to a proven second one.
 *
 * @returns whether the second vote is to be counted
 */
const contradiction = (machine: Machine, first: StoredVote, second: StoredVote): boolean => {
  const { config, state } = machine
  const { validator, view } = first.vote
  const current = viewState(machine, view)

  for (const stored of [first, second]) {
    if (!stored.checked && !voteValid(stored.vote, config.validators, config.bls, config.chain)) {
      const votes = current.votes[stored.vote.kind]

      if (votes.get(validator) === stored) {
        votes.delete(validator)
      }

      bar(machine, validator)

      // a proven second takes the place of the first; a false second leaves the first alone
      if (stored === first && second.checked) {
        current.votes[second.vote.kind].set(validator, second)
        return true
      }

      return false
    }

    stored.checked = true
  }

  if (validator === leader(machine, view) && first.vote.kind === 'notarize' && second.vote.kind === 'notarize') {
    current.equivocated = true
  }

  if (validator !== config.self) {
    emit(machine, { type: 'evidence', evidence: { type: 'conflicting-votes', validator, first: first.vote, second: second.vote } })
    // what it says no longer matters, and repeating the evidence for every message would be a storm
    state.barredUntilView[validator] = Math.max(state.barredUntilView[validator], state.view + BARRED_VIEWS)
  }

  return false
}

const bar = (machine: Machine, validator: number): void => {
  const { state } = machine

  emit(machine, { type: 'penalise', validator, reason: 'invalid-signature' })
  state.barredUntilView[validator] = state.view + BARRED_VIEWS
}

/** Makes a certificate if the votes for the same statement as `like` are a quorum of valid ones. */
const assemble = (machine: Machine, view: number, { vote: { kind, blockHash }, key }: StoredVote): void => {
  const { config, state } = machine

  while (view > state.final.view && certificateAt(machine, kind, view) === null) {
    const votes = [...viewState(machine, view).votes[kind].values()].filter(vote => vote.key === key)
    const stake = votes.reduce((sum, { vote }) => sum + config.validators[vote.validator].stake, 0n)

    if (stake < machine.quorum) {
      return
    }

    const signature = aggregateOf(machine, votes)

    if (signature !== null) {
      votes.forEach(vote => { vote.checked = true })
      addCertificate(machine, { kind, era: config.era, view, blockHash, signers: bitmapOf(votes.map(({ vote }) => vote.validator), config.validators.length), signature }, true)
      return
    }

    const invalid = findInvalid(machine, votes.filter(({ checked }) => !checked))

    if (invalid.length === 0) {
      // each half verifies and the whole does not: impossible for BLS, and no reason to go on for ever
      return
    }

    for (const { vote } of invalid) {
      viewState(machine, view).votes[kind].delete(vote.validator)
      bar(machine, vote.validator)
    }
  }
}

/**
 * The votes among equal ones whose signatures are false, by halving: one aggregate verification
 * if all are good, about `2 b log2(n / b)` if b are bad. Colluding votes whose errors cancel each
 * other pass together; the aggregate that they are part of is valid all the same.
 */
const findInvalid = (machine: Machine, votes: StoredVote[]): StoredVote[] => {
  if (votes.length === 0 || aggregateOf(machine, votes) !== null) {
    votes.forEach(vote => { vote.checked = true })
    return []
  }

  if (votes.length === 1) {
    return votes
  }

  const half = votes.length >> 1

  return [...findInvalid(machine, votes.slice(0, half)), ...findInvalid(machine, votes.slice(half))]
}

/** The sum of the signatures of equal votes, or null if it does not verify. */
const aggregateOf = ({ config }: Machine, votes: StoredVote[]): Uint8Array | null => {
  try {
    const signature = votes.length === 1 ? votes[0].vote.signature : config.bls.aggregate(votes.map(({ vote }) => vote.signature))
    const publicKeys = votes.map(({ vote }) => config.validators[vote.validator].blsPublicKey)

    return config.bls.fastAggregateVerify(publicKeys, voteBytes(config.chain, votes[0].vote), signature) ? signature : null
  } catch {
    // bytes that are no point on the curve
    return null
  }
}

/** Takes a certificate from anybody. */
export const receiveCertificate = (machine: Machine, certificate: Certificate): void => {
  const verdict = admitCertificate(machine, certificate)

  judge(machine, verdict, verdict === 'reject' ? 'a certificate that does not verify' : 'a certificate')
}

/** Verifies a certificate unless it is known or useless, and counts it. */
export const admitCertificate = (machine: Machine, certificate: Certificate): Verdict => {
  const { state, config } = machine

  if (certificate.era !== config.era || certificate.view <= state.final.view || certificate.view <= (certificate.kind === 'finalize' ? finalizedView(machine) : 0)) {
    return 'ignore'
  }

  const known = certificateAt(machine, certificate.kind, certificate.view)

  if (known !== null && equalBytes(known.blockHash, certificate.blockHash)) {
    return 'ignore'
  }

  if (!certificateValid(certificate, config.validators, config.bls, config.chain)) {
    return 'reject'
  }

  addCertificate(machine, certificate, false)
  return 'accept'
}

/** Counts a valid certificate: keeps it durably, moves to the next view, notes what is final. */
export const addCertificate = (machine: Machine, certificate: Certificate, own: boolean): void => {
  const { state } = machine
  const { kind, view } = certificate
  const certificates = viewState(machine, view).certificates
  const opposite = OPPOSITE[kind]
  const known = certificates[kind] ?? (opposite === null ? null : certificates[opposite])

  if (known !== null) {
    // more than a third of the stake is faulty: nothing here can mend that, somebody has to look
    emit(machine, { type: 'evidence', evidence: { type: 'conflicting-certificates', first: known, second: certificate } })
  }

  if (certificates[kind] !== null) {
    return
  }

  certificates[kind] = certificate
  emit(machine, { type: 'persist', record: { type: 'certificate', certificate } })

  if (own && machine.config.self !== null && relays(machine, view)) {
    emit(machine, { type: 'broadcastCertificate', certificate, again: false })
  }

  if (kind === 'finalize' && view > finalizedView(machine)) {
    state.finalization = certificate
  }

  if (view >= state.view) {
    enterView(machine, view + 1)
  }
}

const relays = ({ config }: Machine, view: number): boolean => {
  const n = config.validators.length
  const offset = ((config.self ?? 0) - view % n + n) % n

  return offset < RELAYERS
}
