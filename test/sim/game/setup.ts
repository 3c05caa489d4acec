import { deriveSeed, ed25519Signer, signPayload, signRecord } from '../../../src/identity/index.ts'
import { channelId, executeBlock, genesisState, readAccount, readValidators } from '../../../src/ledger/index.ts'
import { cidOf, compareBytes, domains, hash, transactionCodec, utf8, voucherCodec } from '../../../src/wire/index.ts'
import { PARAMS as LEDGER_PARAMS } from '../../ledger/network.ts'
import { CONTRIBUTIONS } from './computation.ts'
import { CHAIN } from './seats.ts'
import type { Actor, Game } from './interface.ts'
import type { Signer } from '../../../src/identity/index.ts'
import type { Genesis, Hash, NetworkParams, Signed, Transaction, TransactionBody, Voucher } from '../../../src/interface/index.ts'
import type { LedgerState } from '../../../src/ledger/index.ts'
import type { CID } from 'multiformats/cid'

export const OPEN = 10n ** 18n

/** Deadlines that a network with lost messages keeps, and stakes that many slashes fit into. */
export const PARAMS: NetworkParams = {
  ...LEDGER_PARAMS,
  epochBlocks: 6,
  commitBlocks: 8,
  revealBlocks: 8,
  openBlocks: 8,
  verdictBlocks: 8,
  challengeBlocks: 6,
  redrawsMax: 2,
  adapterDeposit: OPEN,
  datanetDeposit: OPEN,
  validatorsMax: 9,
  validatorStakeMin: 500n * OPEN
}

export const signer = (name: string): Signer => {
  const known = signers.get(name) ?? ed25519Signer(deriveSeed('game', name))

  signers.set(name, known)

  return known
}

const signers = new Map<string, Signer>()

export const payer = signer('payer')
export const gateway = signer('gateway')
export const watcher = signer('watcher')
export const meddler = signer('meddler')
export const delegator = signer('delegator')
export const joiner = signer('joiner')
const curator = signer('curator')
const developer = signer('developer')

export const ADAPTERS: CID[] = ['adapter 1', 'adapter 2'].map(name => cidOf(utf8(name))).sort((a, b) => compareBytes(a.bytes, b.bytes))
const base = cidOf(utf8('base'))
const datanet = cidOf(utf8('datanet'))

export const populate = ({ assessors, validators }: Game): Actor[] => {
  const blank = { awayUntil: 0, cutUntil: 0 }

  return [
    ...validators.map((validator, i): Actor => ({ ...blank, who: signer(`v${i}`), character: 'silent', validator, journal: new Map() })),
    // honest, and a validator as soon as the ledger makes it one
    { ...blank, who: joiner, character: 'silent', validator: 'honest', journal: new Map() },
    ...assessors.map((character, i): Actor => ({ ...blank, who: signer(`s${i}`), character, validator: null, journal: new Map() }))
  ]
}

const genesis = ({ assessors, validators, seats }: Game): Genesis => {
  const holders = [...assessors.map((_, i) => signer(`s${i}`)), ...validators.map((_, i) => signer(`v${i}`)), payer, gateway, watcher, meddler, delegator, joiner, curator, developer]

  return {
    type: 'genesis',
    version: 1,
    chain: CHAIN,
    validators: validators.map((_, i) => ({
      account: signer(`v${i}`).account,
      blsPublicKey: new Uint8Array(96).fill(i + 1),
      possession: new Uint8Array(96).fill(i + 1),
      stake: 1000n * OPEN
    })),
    balances: holders.map(({ account }) => ({ account, amount: 10_000n * OPEN })).sort((a, b) => compareBytes(a.account, b.account)),
    params: { ...PARAMS, seats },
    treasury: signer('treasury').account,
    bases: [{ base, developer: developer.account }]
  }
}

export const sign = (who: Signer, nonce: number, body: TransactionBody): Signed<Transaction> =>
  signRecord(domains.transaction, transactionCodec, { type: 'transaction', version: 1, chain: CHAIN, nonce, fee: 0n, body }, who)

/** The block after a state, proposed by the validator whose turn it is. */
export const nextBlock = (state: LedgerState, transactions: Array<Signed<Transaction>>): ReturnType<typeof executeBlock> => {
  const validators = readValidators(state)
  const height = state.height + 1

  return executeBlock(state, {
    height,
    parent: new Uint8Array(32),
    proposer: validators[height % validators.length].account,
    beaconSignature: new Uint8Array(96).fill(height % 251),
    transactions
  })
}

/** The channel that all answers are paid from. */
export const CHANNEL: Hash = channelId(CHAIN, payer.account, 0)

/** Before the game: assessors have staked, two adapters are admitted, a channel is open. */
export const setUp = (game: Game, beacon: string): LedgerState => {
  const genesisOf = genesis(game)
  const assessors = game.assessors.map((_, i) => signer(`s${i}`))
  const honest = game.validators.map((_, i) => signer(`v${i}`))
  const attestation = cidOf(utf8(beacon))
  const subjects = [...CONTRIBUTIONS, ...ADAPTERS]
  const rounds: Array<Array<[Signer, TransactionBody]>> = [
    [
      ...assessors.map((who): [Signer, TransactionBody] => [who, { kind: 'stake', amount: 5_000n * OPEN }]),
      [curator, { kind: 'create-datanet', datanet, name: 'speeches' }],
      [payer, { kind: 'open-channel', gateway: gateway.account, amount: 5_000n * OPEN, expiresAtHeight: 10_000 }]
    ],
    CONTRIBUTIONS.map(contribution => [curator, { kind: 'contribute', datanet, contribution, rows: 10, bytes: 1000, shards: 1 }]),
    honest.flatMap(who => CONTRIBUTIONS.map((subject): [Signer, TransactionBody] => [who, { kind: 'attest', subject, owner: curator.account, verdict: 'admit', attestation }])),
    ADAPTERS.map(adapter => [developer, { kind: 'publish-adapter', adapter, base, snapshot: cidOf(utf8('snapshot')), contributions: CONTRIBUTIONS }]),
    honest.flatMap(who => subjects.slice(CONTRIBUTIONS.length).map((subject): [Signer, TransactionBody] => [who, { kind: 'attest', subject, owner: developer.account, verdict: 'admit', attestation }]))
  ]

  return rounds.reduce((state, requests) => {
    const nonces = new Map<Signer, number>()

    return nextBlock(state, requests.map(([who, body]) => {
      const nonce = nonces.get(who) ?? readAccount(state, who.account).nonce

      nonces.set(who, nonce + 1)

      return sign(who, nonce, body)
    })).state
  }, genesisState(genesisOf))
}

/** What the gateway redeems for answers of the first adapters. */
export const redeemBody = (cumulative: bigint, fees: bigint, adapters: number, beacon: string): Extract<TransactionBody, { kind: 'redeem' }> => {
  const voucher: Voucher = { type: 'voucher', version: 1, chain: CHAIN, channel: CHANNEL, cumulative }

  return {
    kind: 'redeem',
    channel: CHANNEL,
    cumulative,
    voucherSignature: signPayload(domains.voucher, voucherCodec, voucher, payer),
    batches: ADAPTERS.slice(0, adapters).map(adapter => ({ adapter, receiptsRoot: hash('receipts', utf8(beacon)), receipts: 1, fees }))
  }
}
