import { bitmapOf, voteBytes } from '../../src/consensus/index.ts'
import { bls, blsSecretKey, deriveSeed, ed25519Signer, signRecord } from '../../src/identity/index.ts'
import { genesisState, stateCodecs, stateKeys } from '../../src/ledger/index.ts'
import { payout, scoreTree, taskId } from '../../src/scoring/index.ts'
import { cidOf, compareBytes, contributionCodec, domains, headerHash, signedCodec, utf8, validatorsHash } from '../../src/wire/index.ts'
import type { CertifiedHeader, Genesis, Hash, Header, ScoreTable, Signed, Contribution, TaskState, Validator } from '../../src/interface/index.ts'
import type { AuthenticatedMap } from '../../src/ledger/index.ts'
import type { HeaderSource } from '../../src/light-client/index.ts'
import type { CID } from 'multiformats/cid'

export const CHAIN = 'light-1'
const VALIDATORS = 4

export const signerOf = (path: string): ReturnType<typeof ed25519Signer> => ed25519Signer(deriveSeed('light', path))
const secretKeys = Array.from({ length: VALIDATORS }, (_, i) => blsSecretKey(deriveSeed('light', `bls/${i}`)))

export function genesisOf (chain = CHAIN): Genesis {
  return {
    type: 'genesis',
    version: 1,
    chain,
    validators: secretKeys.map((secretKey, i) => ({ account: signerOf(`validator/${i}`).account, blsPublicKey: bls.publicKeyOf(secretKey), possession: bls.possess(secretKey), stake: 1000n })),
    balances: [{ account: signerOf('rich').account, amount: 10n ** 24n }],
    params: {
      feeSplit: { platform: 1000, developers: 2000, validators: 2000, data: 5000 },
      epochBlocks: 10,
      commitBlocks: 2,
      revealBlocks: 2,
      openBlocks: 2,
      verdictBlocks: 2,
      challengeBlocks: 1,
      seats: 3,
      traceOpenings: 1,
      redrawsMax: 1,
      contributionDeposit: 1n,
      adapterDeposit: 1n,
      datanetDeposit: 1n,
      assessorStakeMin: 2n,
      slashWrong: 1n,
      slashSilent: 1n,
      challengeBond: 1n,
      plantsPerEpoch: 1,
      plantReward: 1n,
      votingDelayBlocks: 1,
      votingPeriodBlocks: 5,
      timelockBlocks: 1,
      quorumBp: 400,
      proposalThreshold: 1n,
      feePerByte: 0n,
      feeProposerBp: 5_000,
      validatorsMax: 128,
      validatorStakeMin: 1n,
      unbondEpochs: 3
    },
    treasury: signerOf('treasury').account,
    bases: []
  }
}

const genesisSet = validatorsHash(genesisOf().validators)

export interface CertifyOptions {
  kind?: 'finalize' | 'notarize'
  /** indices of validators that sign; three of four by default */
  signers?: number[]
  chain?: string
  /** of the set that signs; the genesis' by default */
  keys?: Uint8Array[]
}

/** Another set of four validators. */
export function anotherSet (label: string): { keys: Uint8Array[], validators: Validator[] } {
  const keys = Array.from({ length: VALIDATORS }, (_, i) => blsSecretKey(deriveSeed('light', `${label}/${i}`)))

  return { keys, validators: keys.map((key, i) => ({ account: signerOf(`${label}/${i}`).account, blsPublicKey: bls.publicKeyOf(key), stake: 1000n })) }
}

/** A certificate as consensus makes it, with real BLS signatures. */
export function certify (header: Header, options: CertifyOptions = {}): CertifiedHeader {
  const { kind = 'finalize', signers = [0, 1, 2], chain = CHAIN, keys = secretKeys } = options
  const statement = { kind, era: header.era, view: header.view, blockHash: headerHash(header) }
  const message = voteBytes(chain, statement)

  return {
    header,
    certificate: { ...statement, signers: bitmapOf(signers, VALIDATORS), signature: bls.aggregate(signers.map(i => bls.sign(keys[i], message))) }
  }
}

export function headerOf (height: number, map: AuthenticatedMap, fields: Partial<Header> = {}): Header {
  return {
    type: 'header',
    version: 1,
    chain: CHAIN,
    era: 0,
    height,
    view: height,
    parent: new Uint8Array(32),
    proposer: signerOf('validator/0').account,
    bodyRoot: new Uint8Array(32),
    outcomesRoot: new Uint8Array(32),
    stateRoot: map.root,
    validatorsHash: genesisSet,
    ...fields
  }
}

/** A source that holds blocks in memory; tests replace what it says to make it lie. */
export interface TestSource extends HeaderSource {
  certified: Map<number, CertifiedHeader>
  maps: Map<number, AuthenticatedMap>
  /** adds a certified block with this state */
  add (height: number, map: AuthenticatedMap, options?: CertifyOptions & { header?: Partial<Header> }): CertifiedHeader
}

export function testSource (): TestSource {
  const certified = new Map<number, CertifiedHeader>()
  const maps = new Map<number, AuthenticatedMap>()

  function known<T> (value: T | undefined): T {
    if (value === undefined) {
      throw new RangeError('unknown height')
    }

    return value
  }

  return {
    certified,
    maps,
    add (height, map, options = {}) {
      const one = certify(headerOf(height, map, options.header), options)
      certified.set(height, one)
      maps.set(height, map)

      return one
    },
    latest: async () => known(certified.get(Math.max(...certified.keys()))),
    header: async height => known(certified.get(height)),
    proof: async (key, height) => known(maps.get(height)).prove(key)
  }
}

export interface Payment {
  map: AuthenticatedMap
  task: Hash
  contribution: CID
  table: ScoreTable
  records: Map<string, Uint8Array>
}

/** A state in which a contribution was attested, scored and paid. */
export function paidState (change: (task: TaskState) => TaskState = task => task): Payment {
  const contributor = signerOf('contributor')
  const payload: Contribution = { type: 'contribution', version: 1, datanet: cidOf(utf8('datanet')), contributor: contributor.account, title: 'Speeches', licence: 'CC0-1.0', rows: 5, bytes: 500, shards: [cidOf(utf8('shard'))] }
  const signed: Signed<Contribution> = signRecord(domains.contribution, contributionCodec, payload, contributor)
  const bytes = signedCodec(contributionCodec).encode(signed)
  const contribution = cidOf(bytes)
  const contributions = [contribution, cidOf(utf8('another'))].toSorted((a, b) => compareBytes(a.bytes, b.bytes))
  const adapter = cidOf(utf8('adapter'))
  const table: ScoreTable = { type: 'scores', version: 1, adapter, method: 'trajectory', engine: 'datanet-engine/1', entries: contributions.map(one => ({ contribution: one, score: one.equals(contribution) ? 300n : 100n })) }
  const { root, total } = scoreTree(table)
  const task = taskId(CHAIN, 0, adapter)
  const dataPool = 1000n
  const amount = payout(dataPool, 300n, total)
  const seat = { commit: root, scoreRoot: root, total, traceRoot: root, traceLength: 3, opened: true, steps: root, report: null, fault: null }
  const state: TaskState = change({
    adapter,
    epoch: 0,
    phase: 'settled',
    deadline: 0,
    redraws: 0,
    rollovers: 0,
    fees: 2000n,
    sources: [],
    seats: [0, 1, 2].map(i => ({ assessor: signerOf(`assessor/${i}`).account, ...seat })),
    verdicts: [],
    judgements: [],
    scoreRoot: root,
    total,
    openings: [0],
    revealedAt: 0,
    dispute: null,
    challenge: null,
    feeSplit: genesisOf().params.feeSplit,
    dataPool,
    paid: amount
  })
  let { map } = genesisState(genesisOf())
  map = map.set(stateKeys.contribution(contribution), stateCodecs.contribution.encode({ datanet: payload.datanet, contributor: contributor.account, rows: 5, bytes: 500, index: 0, deposit: 0n, status: 'admitted', stakeFor: 3000n, stakeAgainst: 0n, height: 2, earned: amount }))
  map = map.set(stateKeys.adapter(adapter), stateCodecs.adapter.encode({ developer: signerOf('developer').account, base: cidOf(utf8('base')), snapshot: cidOf(utf8('snapshot')), contributions, deposit: 0n, status: 'admitted', stakeFor: 3000n, stakeAgainst: 0n, height: 3, earned: 0n }))
  map = map.set(stateKeys.task(task), stateCodecs.task.encode(state))
  map = map.set(stateKeys.payout(task, contribution), stateCodecs.payout.encode({ contributor: contributor.account, score: 300n, amount, height: 9 }))
  map = map.set(stateKeys.account(contributor.account), stateCodecs.account.encode({ balance: amount, nonce: 1, staked: 0n, gopen: 0n, delegate: null, votes: 0n }))

  for (const i of [0, 1, 2]) {
    map = map.set(stateKeys.attestation(contribution, signerOf(`validator/${i}`).account), stateCodecs.attestation.encode({ verdict: 'admit', attestation: cidOf(utf8(`attestation ${i}`)), height: 3 }))
  }

  return { map, task, contribution, table, records: new Map([[contribution.toString(), bytes]]) }
}
