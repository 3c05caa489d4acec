/**
 * One name for everything that is signed or hashed, so that bytes of one meaning are never taken
 * for another. A changed encoding gets a new number.
 */
export const domains = {
  adapter: 'datanet/adapter/1',
  attestation: 'datanet/attestation/1',
  beacon: 'datanet/beacon/1',
  beaconMix: 'datanet/beacon-mix/1',
  channel: 'datanet/channel/1',
  checkpoint: 'datanet/checkpoint/1',
  commit: 'datanet/commit/1',
  committee: 'datanet/committee/1',
  conditions: 'datanet/conditions/1',
  contribution: 'datanet/contribution/1',
  genesis: 'datanet/genesis/1',
  header: 'datanet/header/1',
  hello: 'datanet/hello/1',
  jacobian: 'datanet/jacobian/1',
  openings: 'datanet/openings/1',
  output: 'datanet/output/1',
  possession: 'datanet/possession/1',
  prompt: 'datanet/prompt/1',
  receipt: 'datanet/receipt/1',
  receiptsRequest: 'datanet/receipts-request/1',
  salt: 'datanet/salt/1',
  scoreEntry: 'datanet/score-entry/1',
  scoreHeader: 'datanet/score-header/1',
  seed: 'datanet/seed/1',
  stateEmpty: 'datanet/state-empty/1',
  stateKey: 'datanet/state-key/1',
  stateLeaf: 'datanet/state-leaf/1',
  stateNode: 'datanet/state-node/1',
  stepStateRequest: 'datanet/step-state-request/1',
  task: 'datanet/task/1',
  trace: 'datanet/trace/1',
  traceStep: 'datanet/trace-step/1',
  transaction: 'datanet/transaction/1',
  validators: 'datanet/validators/1',
  vote: 'datanet/vote/1',
  voucher: 'datanet/voucher/1'
} as const

export type Domain = typeof domains[keyof typeof domains]
