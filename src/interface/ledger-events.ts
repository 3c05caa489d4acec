import type { NetworkParams } from './genesis.ts'
import type { AdmissionStatus, ProposalStatus } from './ledger-state.ts'
import type { Account, Amount, Hash } from './records.ts'
import type { TaskPhase } from './tasks.ts'
import type { CID } from 'multiformats/cid'

/** An emission of the ledger while a block is executed; what the UI and services react to. */
export type LedgerEvent =
  // `from` or `to` is the 32-byte id of what holds the money when it is no account: a channel, a task
  // or, for deposits, the digest of the subject's CID
  | { type: 'transfer', from: Account, to: Account, amount: Amount, reason: PaymentReason, task?: Hash }
  | { type: 'datanet', datanet: CID, name: string, curator: Account }
  | { type: 'contribution', contribution: CID, datanet: CID, contributor: Account, status: AdmissionStatus }
  | { type: 'adapter', adapter: CID, developer: Account, status: AdmissionStatus }
  | { type: 'attestation', subject: CID, validator: Account, verdict: 'admit' | 'reject' }
  | { type: 'channel', channel: Hash, payer: Account, gateway: Account, deposit: Amount, redeemed: Amount, closed: boolean }
  | { type: 'task', task: Hash, adapter: CID, epoch: number, phase: TaskPhase }
  | { type: 'seat', task: Hash, assessor: Account, action: 'drawn' | 'commit' | 'reveal' | 'answer' | 'open' | 'judge-step' | 'report' | 'judge-receipts' | 'verdict' | 'slash', fault?: string }
  | { type: 'challenge', task: Hash, challenger: Account, bond: Amount, planted: boolean, outcome: 'open' | 'right' | 'wrong' | 'undecided' }
  | { type: 'proposal', proposal: number, status: ProposalStatus, title: string }
  | { type: 'params', params: NetworkParams }
  | { type: 'validators', era: number, validators: Account[] }
  | { type: 'conviction', validator: Account, reporter: Account, era: number, view: number, slashed: Amount }

export type PaymentReason =
  | 'transfer' | 'deposit' | 'refund' | 'escrow' | 'platform' | 'developer' | 'base-developer'
  | 'validator' | 'assessor' | 'data' | 'slash' | 'stake' | 'wrap' | 'governance' | 'bond' | 'bounty' | 'plant' | 'fee'
