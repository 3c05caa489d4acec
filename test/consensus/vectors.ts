import { bitmapOf, signVote, voteBytes, voteCodec } from '../../src/consensus/index.ts'
import { bls, blsSecretKey, deriveSeed } from '../../src/identity/index.ts'
import { certificateCodec, toHex } from '../../src/wire/index.ts'
import type { VoteKind } from '../../src/consensus/index.ts'
import type { Certificate, ValidatorInfo } from '../../src/interface/index.ts'

export interface VoteVector {
  name: string
  /** what is signed */
  message: string
  /** the vote on the wire */
  vote: string
}

export interface CertificateVector {
  name: string
  valid: boolean
  /** the certificate on the wire */
  certificate: string
}

export interface ConsensusVectors {
  votes: { chain: string, publicKeys: string[], vectors: VoteVector[] }
  invalidVotes: { vectors: Array<{ name: string, code: string, bytes: string }> }
  certificates: { chain: string, validators: Array<{ blsPublicKey: string, stake: string }>, vectors: CertificateVector[] }
}

const CHAIN = 'vectors'
const STAKES = [1n, 2n, 3n, 4n]
const NOTHING = new Uint8Array(0)
const HASH = Uint8Array.from({ length: 32 }, (_, i) => i)

const secrets = STAKES.map((_, i) => blsSecretKey(deriveSeed(new Uint8Array(32), `vectors/consensus/${i}`)))
const signers = secrets.map(secret => ({ sign: (message: Uint8Array) => bls.sign(secret, message) }))

export const vectorValidators: ValidatorInfo[] = secrets.map((secret, i) => ({
  account: new Uint8Array(32).fill(i + 1), blsPublicKey: bls.publicKeyOf(secret), possession: bls.possess(secret), stake: STAKES[i]
}))

const certificate = (kind: VoteKind, view: number, blockHash: Uint8Array, by: number[], bitmap = by): Certificate => ({
  kind,
  era: 0,
  view,
  blockHash,
  signers: bitmapOf(bitmap, STAKES.length),
  signature: bls.aggregate(by.map(i => signVote(CHAIN, i, { kind, era: 0, view, blockHash }, signers[i]).signature))
})

const votes = (): ConsensusVectors['votes'] => ({
  chain: CHAIN,
  publicKeys: vectorValidators.map(({ blsPublicKey }) => toHex(blsPublicKey)),
  vectors: ([['notarize', 1, HASH, 0], ['finalize', 300, HASH, 3], ['nullify', 2 ** 40, NOTHING, 2]] as const).map(([kind, view, blockHash, validator]) => ({
    name: `${kind} in view ${view} by validator ${validator}`,
    message: toHex(voteBytes(CHAIN, { kind, era: 0, view, blockHash })),
    vote: toHex(voteCodec.encode(signVote(CHAIN, validator, { kind, era: 0, view, blockHash }, signers[validator])))
  }))
})

/** The encoded vote with one stretch of its hexadecimal text replaced. */
const invalidVotes = (): ConsensusVectors['invalidVotes'] => {
  const good = toHex(voteCodec.encode(signVote(CHAIN, 0, { kind: 'notarize', era: 0, view: 1, blockHash: HASH }, signers[0])))
  const nullify = toHex(voteCodec.encode(signVote(CHAIN, 0, { kind: 'nullify', era: 0, view: 1, blockHash: NOTHING }, signers[0])))
  const view = '64766965770'

  return {
    vectors: [
      { name: 'truncated', code: 'ERR_MALFORMED_RECORD', bytes: good.slice(0, -2) },
      { name: 'view 0', code: 'ERR_MALFORMED_RECORD', bytes: good.replace(`${view}1`, `${view}0`) },
      { name: 'view as a longer integer', code: 'ERR_MALFORMED_RECORD', bytes: good.replace(`${view}1`, '64766965771801') },
      { name: 'a nullify vote called notarize', code: 'ERR_MALFORMED_RECORD', bytes: nullify.replace('676e756c6c696679', '686e6f746172697a65') },
      { name: 'validator 128', code: 'ERR_OUT_OF_RANGE', bytes: good.replace('6976616c696461746f7200', '6976616c696461746f721880') },
      { name: 'too large', code: 'ERR_RECORD_TOO_LARGE', bytes: `${good}${'00'.repeat(512)}` }
    ]
  }
}

const certificates = (): ConsensusVectors['certificates'] => {
  const vector = (name: string, valid: boolean, made: Certificate): CertificateVector => ({ name, valid, certificate: toHex(certificateCodec.encode(made)) })
  const good = certificate('finalize', 7, HASH, [0, 2, 3])

  return {
    chain: CHAIN,
    validators: vectorValidators.map(({ blsPublicKey, stake }) => ({ blsPublicKey: toHex(blsPublicKey), stake: `${stake}` })),
    vectors: [
      vector('finalized by 8 of 10', true, good),
      vector('notarized by 7 of 10', true, certificate('notarize', 7, HASH, [2, 3])),
      vector('nullified by all', true, certificate('nullify', 7, NOTHING, [0, 1, 2, 3])),
      vector('6 of 10 are no quorum', false, certificate('finalize', 7, HASH, [1, 3])),
      vector('a signer that did not sign', false, certificate('finalize', 7, HASH, [0, 2, 3], [0, 1, 2, 3])),
      vector('a signer too few in the bitmap', false, certificate('finalize', 7, HASH, [0, 2, 3], [2, 3])),
      vector('another view', false, { ...good, view: 8 }),
      vector('another kind', false, { ...good, kind: 'notarize' }),
      vector('a validator that does not exist', false, { ...good, signers: Uint8Array.of(good.signers[0] | 16) }),
      vector('a bitmap that is too long', false, { ...good, signers: Uint8Array.of(good.signers[0], 0) }),
      vector('no point of the curve', false, { ...good, signature: new Uint8Array(96).fill(1) })
    ]
  }
}

/** Everything in protocols/consensus/vectors, by file. */
export const consensusVectors = (): ConsensusVectors => ({ votes: votes(), invalidVotes: invalidVotes(), certificates: certificates() })
