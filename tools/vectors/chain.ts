/**
 * Valid values of the records of the chain, and edits that spoil them.
 */
import { bls, signRecord } from '../../src/identity/index.ts'
import * as wire from '../../src/wire/index.ts'
import { blsKeyOf, CHAIN, cidFor, developer, gateway, hashFor, payer, plainRecord, put, rawFor, signedRecord, signerOf, sorted, TOO_BIG, validator } from './fixtures.ts'
import type { Fixture } from './fixtures.ts'
import type * as records from '../../src/interface/index.ts'

const params: records.NetworkParams = {
  feeSplit: { platform: 1000, developers: 2000, validators: 2000, data: 5000 },
  epochBlocks: 100,
  commitBlocks: 20,
  revealBlocks: 20,
  openBlocks: 20,
  verdictBlocks: 20,
  challengeBlocks: 10,
  seats: 7,
  traceOpenings: 4,
  redrawsMax: 2,
  contributionDeposit: 10n ** 18n,
  adapterDeposit: 10n ** 19n,
  datanetDeposit: 10n ** 19n,
  assessorStakeMin: 2n * 10n ** 20n,
  slashWrong: 10n ** 20n,
  slashSilent: 10n ** 18n,
  challengeBond: 5n * 10n ** 19n,
  plantsPerEpoch: 1,
  plantReward: 10n ** 18n,
  votingDelayBlocks: 1,
  votingPeriodBlocks: 50,
  timelockBlocks: 10,
  quorumBp: 400,
  proposalThreshold: 10n ** 21n,
  feePerByte: 0n,
  feeProposerBp: 5_000,
  validatorsMax: 128,
  validatorStakeMin: 1n,
  unbondEpochs: 3
}

function statement (kind: records.SignedStatement['kind'], block?: string): records.SignedStatement {
  return { kind, blockHash: block === undefined ? new Uint8Array() : hashFor(block), signature: new Uint8Array(96).fill(9) }
}

function bodies (): Record<string, records.TransactionBody> {
  const task = hashFor('task')

  return {
    transfer: { kind: 'transfer', to: payer.account, amount: 10n ** 18n },
    stake: { kind: 'stake', amount: 1n },
    'register-validator': { kind: 'register-validator', blsPublicKey: bls.publicKeyOf(blsKeyOf('validator/4')), possession: bls.possess(blsKeyOf('validator/4'), payer.account), amount: 10n ** 21n },
    bond: { kind: 'bond', validator: validator.account, amount: 10n ** 20n },
    unbond: { kind: 'unbond', validator: validator.account, amount: 10n ** 20n },
    withdraw: { kind: 'withdraw' },
    'report-votes': {
      kind: 'report-votes', blsPublicKey: bls.publicKeyOf(blsKeyOf('validator/4')), era: 2, view: 41, first: statement('notarize', 'block'), second: statement('notarize', 'other block')
    },
    'report-certificates': {
      kind: 'report-certificates',
      era: 2,
      view: 41,
      first: { ...statement('finalize', 'block'), signers: Uint8Array.of(15) },
      second: { ...statement('nullify'), signers: Uint8Array.of(7) },
      validators: [{ account: validator.account, blsPublicKey: bls.publicKeyOf(blsKeyOf('validator/4')), stake: 10n ** 21n }]
    },
    unstake: { kind: 'unstake', amount: 1n },
    'create-datanet': { kind: 'create-datanet', datanet: cidFor('datanet'), name: 'state-of-the-union' },
    contribute: { kind: 'contribute', datanet: cidFor('datanet'), contribution: cidFor('contribution'), rows: 210, bytes: 151_000, shards: 2 },
    'publish-adapter': { kind: 'publish-adapter', adapter: cidFor('adapter'), base: cidFor('base'), snapshot: cidFor('snapshot'), contributions: sorted(cidFor('contribution 0'), cidFor('contribution 1')) },
    'import-adapter': { kind: 'import-adapter', adapter: cidFor('imported adapter'), base: cidFor('base'), weights: rawFor('adapter weights') },
    'merge-adapters': { kind: 'merge-adapters', adapter: cidFor('merged adapter'), base: cidFor('base'), parents: sorted(cidFor('adapter'), cidFor('other adapter')).map((adapter, i) => ({ adapter, weightMilli: [700, 300][i] })) },
    'withdraw-contribution': { kind: 'withdraw-contribution', contribution: cidFor('contribution') },
    'deprecate-adapter': { kind: 'deprecate-adapter', adapter: cidFor('adapter'), reason: 'trained on half of the speeches', successor: cidFor('newer adapter') },
    attest: { kind: 'attest', subject: cidFor('contribution'), owner: payer.account, verdict: 'admit', attestation: cidFor('attestation') },
    'open-channel': { kind: 'open-channel', gateway: gateway.account, amount: 10n ** 18n, expiresAtHeight: 5000 },
    'close-channel': { kind: 'close-channel', channel: hashFor('channel') },
    redeem: { kind: 'redeem', channel: hashFor('channel'), cumulative: 28n * 10n ** 12n, voucherSignature: new Uint8Array(64).fill(7), batches: [{ adapter: cidFor('adapter'), receiptsRoot: hashFor('receipts'), receipts: 4, fees: 28n * 10n ** 12n }] },
    commit: { kind: 'commit', task, fees: 28n * 10n ** 12n, commit: hashFor('commit') },
    reveal: { kind: 'reveal', task, scoreRoot: hashFor('scores'), total: 1n << 40n, traceRoot: hashFor('trace'), traceLength: 33, salt: hashFor('salt') },
    open: { kind: 'open', task, openings: [{ index: 3, step: hashFor('step'), proof: [hashFor('left'), hashFor('right')] }] },
    verdict: { kind: 'verdict', task, scoreRoot: hashFor('scores'), total: 1n << 40n },
    'report-receipts': { kind: 'report-receipts', task, fault: 'false', source: 1 },
    'judge-receipts': { kind: 'judge-receipts', task, source: null },
    'judge-step': { kind: 'judge-step', task, step: hashFor('step') },
    challenge: { kind: 'challenge', task },
    plant: { kind: 'plant', commit: hashFor('plant') },
    expose: { kind: 'expose', epoch: 7, task, scoreRoot: hashFor('scores'), total: 1n << 40n, salt: hashFor('salt') },
    'withdraw-plant': { kind: 'withdraw-plant', epoch: 7 },
    claim: { kind: 'claim', task, claims: [{ contribution: cidFor('contribution'), score: 1n << 39n, index: 1, proof: [hashFor('left')] }] },
    wrap: { kind: 'wrap', amount: 10n ** 21n },
    unwrap: { kind: 'unwrap', amount: 1n },
    delegate: { kind: 'delegate', to: payer.account },
    propose: { kind: 'propose', title: 'Data gets 55 %', actions: [{ kind: 'set-params', params: { feeSplit: { platform: 1000, developers: 2000, validators: 1500, data: 5500 } } }, { kind: 'treasury-transfer', to: payer.account, amount: 1n }] },
    vote: { kind: 'vote', proposal: 0, support: 'abstain' },
    queue: { kind: 'queue', proposal: 0 },
    execute: { kind: 'execute', proposal: 0 }
  }
}

const transactionOf = (body: records.TransactionBody, nonce: number): records.Transaction => ({ type: 'transaction', version: 1, chain: CHAIN, nonce, fee: 10n ** 12n, body })

/** Fixtures of the records of the chain. */
export function chainFixtures (): Fixture[] {
  const transactions = Object.fromEntries(Object.entries(bodies()).map(([name, body], nonce) => [name, transactionOf(body, nonce)]))
  const validators: records.ValidatorInfo[] = Array.from({ length: 4 }, (_, i) => {
    const secretKey = blsKeyOf(`validator/${i}`)

    return { account: signerOf(`validator/${i}`).account, blsPublicKey: bls.publicKeyOf(secretKey), possession: bls.possess(secretKey), stake: 10n ** 21n }
  })
  const genesis: records.Genesis = {
    type: 'genesis',
    version: 1,
    chain: CHAIN,
    validators,
    balances: [payer, gateway].map(({ account }) => ({ account, amount: 10n ** 24n })).toSorted((a, b) => wire.compareBytes(a.account, b.account)),
    params,
    treasury: signerOf('treasury').account,
    bases: [{ base: cidFor('base'), developer: developer.account }]
  }
  const block = [transactions.transfer, transactions.vote].map(one => signRecord(wire.domains.transaction, wire.transactionCodec, one, payer))
  const beaconSignature = bls.sign(blsKeyOf('validator/0'), wire.utf8('beacon'))
  const header: records.Header = {
    type: 'header',
    version: 1,
    chain: CHAIN,
    era: 2,
    height: 12,
    view: 13,
    parent: hashFor('parent'),
    proposer: validator.account,
    bodyRoot: wire.bodyRoot({ beaconSignature, transactions: block }),
    outcomesRoot: wire.outcomesRoot(block.map((one, i) => ({ id: wire.transactionId(one), ok: i === 0, code: i === 0 ? undefined : 'ERR_NO_VOTES', fee: 10n ** 12n }))),
    stateRoot: hashFor('state'),
    validatorsHash: wire.validatorsHash(validators)
  }
  const certificate: records.Certificate = {
    kind: 'finalize',
    era: 2,
    view: 13,
    blockHash: wire.headerHash(header),
    signers: Uint8Array.of(0b0111),
    signature: bls.sign(blsKeyOf('validator/0'), wire.utf8('not a real vote: see protocols/consensus'))
  }

  return [
    signedRecord('transaction', 'transactionCodec', wire.transactionCodec, wire.domains.transaction, transactions, payer, [
      { name: 'an unknown kind', edit: put('body.kind', 'mint'), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a negative nonce', edit: put('nonce', -1) },
      { name: 'a negative amount cannot be written, an integer is refused', edit: put('body.amount', -1), code: 'ERR_MALFORMED_RECORD' },
      { name: 'an amount of 17 bytes', edit: put('body.amount', TOO_BIG) },
      { name: 'an account of 33 bytes', edit: put('body.to', new Uint8Array(33)) },
      { name: 'shares that do not sum to the whole', edit: put('body', { kind: 'propose', title: 'More', actions: [{ kind: 'set-params', params: { feeSplit: { platform: 1000, developers: 2000, validators: 2000, data: 5001 } } }] }), code: 'ERR_MALFORMED_RECORD' },
      { name: 'an epoch of no blocks', edit: put('body', { kind: 'propose', title: 'Halt', actions: [{ kind: 'set-params', params: { epochBlocks: 0 } }] }) },
      { name: 'too many claims', edit: put('body', { kind: 'claim', task: hashFor('task'), claims: new Array(65).fill({ contribution: cidFor('c'), score: new Uint8Array(8), index: 1, proof: [] }) }) },
      { name: 'a commit that does not say for which fees', edit: put('body', { kind: 'commit', task: hashFor('task'), commit: hashFor('commit') }), code: 'ERR_MALFORMED_RECORD' },
      { name: 'batches out of order', edit: put('body', { kind: 'redeem', channel: hashFor('channel'), cumulative: new Uint8Array(), voucherSignature: new Uint8Array(64), batches: sorted(cidFor('a'), cidFor('b')).reverse().map(one => ({ adapter: one, receiptsRoot: hashFor('r'), receipts: 1, fees: new Uint8Array() })) }), code: 'ERR_MALFORMED_RECORD' }
    ], false),
    plainRecord('genesis', 'genesisCodec', wire.genesisCodec, { 'four validators': genesis }, [
      { name: 'no validators', edit: put('validators', []) },
      { name: 'a validator twice', edit: plain => { (plain.validators as unknown[])[1] = (plain.validators as unknown[])[0] }, code: 'ERR_MALFORMED_RECORD' },
      { name: 'a validator without stake', edit: put('validators.0.stake', new Uint8Array()), code: 'ERR_MALFORMED_RECORD' },
      { name: 'balances out of order', edit: plain => { plain.balances = (plain.balances as unknown[]).toReversed() }, code: 'ERR_MALFORMED_RECORD' },
      { name: 'no seats', edit: put('params.seats', 0) }
    ]),
    plainRecord('header', 'headerCodec', wire.headerCodec, { 'height 12': header }, [
      { name: 'a negative height', edit: put('4', -1) },
      { name: 'a state root of 31 bytes', edit: put('10', new Uint8Array(31)) },
      { name: 'a height that no number holds exactly', edit: put('4', 2n ** 53n), code: 'ERR_MALFORMED_RECORD' }
    ]),
    plainRecord('block', 'blockCodec', wire.blockCodec, { 'two transactions': { header, beaconSignature, transactions: block }, empty: { header, beaconSignature, transactions: [] } }, [
      { name: 'a beacon signature of 95 bytes', edit: put('beaconSignature', new Uint8Array(95)) },
      { name: 'too many transactions', edit: plain => { plain.transactions = new Array(513).fill((plain.transactions as unknown[])[0]) } },
      { name: 'a transaction that is bytes', edit: put('transactions.0', new Uint8Array(8)), code: 'ERR_MALFORMED_RECORD' }
    ]),
    plainRecord('certificate', 'certificateCodec', wire.certificateCodec, {
      finalize: certificate,
      nullify: { ...certificate, kind: 'nullify', blockHash: new Uint8Array() }
    }, [
      { name: 'a nullification of a block', edit: put('kind', 'nullify'), code: 'ERR_MALFORMED_RECORD' },
      { name: 'no block to finalise', edit: put('blockHash', new Uint8Array()), code: 'ERR_MALFORMED_RECORD' },
      { name: 'more signers than there can be', edit: put('signers', new Uint8Array(17)) },
      { name: 'a signature of 48 bytes', edit: put('signature', new Uint8Array(48)) }
    ])
  ]
}
