/**
 * What consensus costs at 128 validators with real BLS, and how many scenarios the simulator tries.
 */
import { bitmapOf, certificateValid, consensus, leaderOf, proposalInput, signVote } from '../../src/consensus/index.ts'
import { bls as browserBls } from '../../src/identity/backend.browser.ts'
import { bls, blsSecretKey, deriveSeed } from '../../src/identity/index.ts'
import { authenticatedMap, stateCodecs, stateKeys } from '../../src/ledger/index.ts'
// the implementation that browsers get
import { certifiedHeaderCodec, hash as hashOf, headerHash, stateProofCodec } from '../../src/wire/index.ts'
import { trySeed } from '../sim/simulator.ts'
import { historyBytes } from './consensus-history.ts'
import { latency } from './consensus-latency.ts'
import { processes } from './consensus-processes.ts'
import { published } from './consensus-published.ts'
import type { Bench, BenchResult } from './interface.ts'
import type { Consensus, ConsensusEffect, VoteKind } from '../../src/consensus/index.ts'
import type { Certificate, Header, ValidatorInfo } from '../../src/interface/index.ts'
import type { AuthenticatedMap } from '../../src/ledger/index.ts'

const N = 128
const CHAIN = 'bench'

const secrets = (): Uint8Array[] => Array.from({ length: N }, (_, i) => blsSecretKey(deriveSeed(new Uint8Array(32), `bench/${i}`)))

/** Processor time in milliseconds: it should not depend on who else is at work. */
const timed = (work: () => void): number => {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)

  return (user + system) / 1000
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]

/** One view as validator 0 sees it: proposal, 127 notarize votes, 127 finalize votes. Returns its milliseconds. */
const oneView = (core: Consensus, validators: ValidatorInfo[], keys: Uint8Array[], view: number, parent: Uint8Array): { ms: number, hash: Uint8Array } => {
  const header: Header = {
    type: 'header',
    version: 1,
    chain: CHAIN,
    era: 0,
    height: view,
    view,
    parent,
    proposer: validators[leaderOf(view, N)].account,
    bodyRoot: new Uint8Array(32),
    outcomesRoot: new Uint8Array(32),
    stateRoot: new Uint8Array(32),
    validatorsHash: new Uint8Array(32)
  }
  const hash = headerHash(header)
  const vote = (kind: VoteKind, validator: number): ReturnType<typeof signVote> =>
    signVote(CHAIN, validator, { kind, era: 0, view, blockHash: hash }, { sign: message => bls.sign(keys[validator], message) })
  const others = Array.from({ length: N - 1 }, (_, i) => i + 1)
  const notarizes = others.map(i => vote('notarize', i))
  const finalizes = others.map(i => vote('finalize', i))
  const effects: ConsensusEffect[] = []

  const ms = timed(() => {
    core.step(proposalInput({ block: { header, beaconSignature: new Uint8Array(96), transactions: [] }, vote: notarizes[leaderOf(view, N) - 1], justification: [] }), view)
    core.step({ type: 'verified', hash, valid: true }, view)

    for (const cast of [...notarizes, ...finalizes]) {
      effects.push(...core.step({ type: 'vote', from: cast.validator, vote: cast }, view))
    }
  })

  if (!effects.some(({ type }) => type === 'finalise')) {
    throw new RangeError(`view ${view} did not become final`)
  }

  return { ms, hash }
}

/** A state of so many accounts. */
const accountsMap = (accounts: number): { map: AuthenticatedMap, keys: string[] } => {
  const body = stateCodecs.account.encode({ balance: 10n ** 20n, nonce: 7, staked: 10n ** 20n, gopen: 0n, delegate: null, votes: 0n })
  const keys = Array.from({ length: accounts }, (_, i) => stateKeys.account(hashOf('account', Uint8Array.of(i >> 16, i >> 8, i)))).sort()

  return { map: authenticatedMap(keys.map(key => [key, body])), keys }
}

/** What a light client is given of an account among them. */
const proofBytes = ({ map, keys }: ReturnType<typeof accountsMap>): BenchResult => {
  const proofs = Array.from({ length: 1000 }, (_, i) => map.prove(keys[i * 97]))
  const lengths = proofs.map(({ proof }) => proof.length)
  const messageBytes = Math.max(...proofs.map(proof => stateProofCodec.encode(proof).length))

  return { name: 'proofBytes100k', value: median(lengths), unit: 'bytes', detail: `median of 1,000 proofs among ${keys.length} accounts, the largest ${Math.max(...lengths)}; at most ${messageBytes} with key and value, as it is sent` }
}

export const run: Bench = async ({ quick }) => {
  const keys = secrets()
  const validators: ValidatorInfo[] = keys.map((key, i) => ({ account: new Uint8Array(32).fill(i), blsPublicKey: bls.publicKeyOf(key), possession: new Uint8Array(96), stake: 1n }))
  const core = consensus({ chain: CHAIN, validators, self: 0, bls, signer: { sign: message => bls.sign(keys[0], message) } })
  let hash: Uint8Array = new Uint8Array(32)
  const views: number[] = []

  core.step({ type: 'start', final: { hash, height: 0, view: 0, certificate: null }, records: [], blocks: [] }, 0)

  // the first view parses all keys, once in the life of a node
  for (let view = 1; view <= (quick ? 6 : 20); view++) {
    const result = oneView(core, validators, keys, view, hash)

    hash = result.hash
    views.push(result.ms)
  }

  const certificate: Certificate = {
    kind: 'finalize',
    era: 0,
    view: 1,
    blockHash: hash,
    signers: bitmapOf(keys.keys(), N),
    signature: bls.aggregate(keys.map(key => signVote(CHAIN, 0, { kind: 'finalize', era: 0, view: 1, blockHash: hash }, { sign: message => bls.sign(key, message) }).signature))
  }
  const header: Header = {
    type: 'header',
    version: 1,
    chain: CHAIN,
    era: 0,
    height: 1,
    view: 1,
    parent: hash,
    proposer: validators[0].account,
    bodyRoot: hash,
    outcomesRoot: hash,
    stateRoot: hash,
    validatorsHash: hash
  }
  const check = (backend: typeof bls): number[] => Array.from({ length: 15 }, () => timed(() => {
    if (!certificateValid(certificate, validators, backend, CHAIN)) {
      throw new RangeError('the certificate does not verify')
    }
  }))
  const [firstMs, ...laterMs] = check(browserBls)

  const accounts = accountsMap(100_000)
  const budgetMs = quick ? 10_000 : 60_000
  const startedMs = performance.now()
  let seeds = 0

  for (; performance.now() - startedMs < budgetMs; seeds++) {
    const wrong = trySeed(1 + seeds)

    if (wrong.length > 0) {
      throw new RangeError(wrong.join('\n'))
    }
  }

  return [
    ...await processes(4, quick ? 8 : 40),
    ...quick ? [] : await processes(7, 40),
    ...latency(),
    { name: 'viewCost128Ms', value: median(views.slice(1)), unit: 'ms', detail: `one view of one of ${N} validators: proposal, ${2 * (N - 1)} votes, two certificates; first view ${views[0].toFixed(0)} ms` },
    { name: 'headerBytes128', value: certifiedHeaderCodec.encode({ header, certificate: { ...certificate, blockHash: headerHash(header) } }).length, unit: 'bytes', detail: 'what a light client gets of a block' },
    { name: 'headerVerify128Ms', value: median(laterMs), unit: 'ms', detail: `noble, as browsers do; the first with all keys to read ${firstMs.toFixed(0)} ms; ${median(check(bls)).toFixed(1)} ms with blst` },
    proofBytes(accounts),
    ...historyBytes(header, accounts.map, 1_000_000),
    { name: 'simSeedsPerMinute', value: seeds / (performance.now() - startedMs) * 60_000, unit: 'seeds/min', detail: '4 to 7 validators, villains, crashes, partitions; all promises held' },
    ...published
  ]
}
