import { deprecateAdapter, importAdapter, publishAdapter } from './adapters.ts'
import { challenge, expose, plant, withdrawPlant } from './challenges.ts'
import { closeChannel, openChannel, redeem } from './channels.ts'
import { claim } from './claims.ts'
import { attest, contribute, createDatanet } from './datanets.ts'
import { judgeStep } from './disputes.ts'
import { reportCertificates, reportVotes } from './double-signing.ts'
import { mergeAdapters } from './merges.ts'
import { stake, transfer, unstake } from './money.ts'
import { execute, propose, queue, vote } from './proposals.ts'
import { judgeReceipts, reportReceipts } from './receipts.ts'
import { commit, open, reveal, verdict } from './tasks.ts'
import { bond, registerValidator, unbond, withdraw } from './validators.ts'
import { delegate, unwrap, wrap } from './votes.ts'
import { withdrawContribution } from './withdrawals.ts'
import type { Context } from './records.ts'
import type { Amount, NetworkParams, TransactionBody } from '../interface/index.ts'

type Kind = TransactionBody['kind']
type Bodies = { [K in Kind]: Extract<TransactionBody, { kind: K }> }
type Rules = { [K in Kind]: (context: Context, body: Bodies[K]) => void }

const rules: Rules = {
  transfer,
  stake,
  unstake,
  'register-validator': registerValidator,
  bond,
  unbond,
  withdraw,
  'report-votes': reportVotes,
  'report-certificates': reportCertificates,
  'create-datanet': createDatanet,
  contribute,
  'withdraw-contribution': withdrawContribution,
  'publish-adapter': publishAdapter,
  'import-adapter': importAdapter,
  'merge-adapters': mergeAdapters,
  'deprecate-adapter': deprecateAdapter,
  attest,
  'open-channel': openChannel,
  'close-channel': closeChannel,
  redeem,
  commit,
  reveal,
  open,
  verdict,
  'report-receipts': reportReceipts,
  'judge-receipts': judgeReceipts,
  'judge-step': judgeStep,
  challenge,
  plant,
  expose,
  'withdraw-plant': withdrawPlant,
  claim,
  wrap,
  unwrap,
  delegate,
  propose,
  vote,
  queue,
  execute
}

/** Does what a transaction asks for, or throws the rule that it breaks. */
export function applyBody (context: Context, body: TransactionBody): void {
  apply(body.kind, context, body)
}

function apply<K extends Kind> (kind: K, context: Context, body: Bodies[K]): void {
  rules[kind](context, body)
}

/** What an account must have for a transaction to be worth keeping. */
export function costOf (body: TransactionBody, params: NetworkParams): Amount {
  switch (body.kind) {
    case 'transfer':
    case 'stake':
    case 'register-validator':
    case 'bond':
    case 'wrap':
    case 'open-channel': return body.amount
    case 'create-datanet': return params.datanetDeposit
    case 'contribute': return params.contributionDeposit
    case 'publish-adapter':
    case 'import-adapter':
    case 'merge-adapters': return params.adapterDeposit
    case 'challenge':
    case 'plant': return params.challengeBond
    default: return 0n
  }
}
