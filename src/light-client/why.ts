import { accountToString, verifyRecord } from '../identity/index.ts'
import { dataTotal, payout, scoreTree, verifyScoreClaim } from '../scoring/index.ts'
import { cidOf, contributionCodec, domains, equalBytes, headerHash, signedCodec, toHex } from '../wire/index.ts'
import { NotPaidError, SourceError, StateProofError } from './errors.ts'
import { ask } from './source.ts'
import type { HeaderSource, LightClient } from './interface.ts'
import type { AbortOptions, AdapterState, CertifiedHeader, ContributionState, Genesis, Hash, PayoutState, ScoreTable, TaskState, WhyView } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

type Step = WhyView['steps'][number]

interface Components {
  client: LightClient
  genesis: Genesis
  source: HeaderSource
  timeoutMs: number
}

/** What a payout rests on, all of one certified state. */
interface Facts {
  at: CertifiedHeader
  contribution: ContributionState
  adapter: AdapterState
  /** of a merge, those of its parents that stand on the contribution */
  parents: Array<{ adapter: CID, weightMilli: number, state: AdapterState }>
  task: TaskState
  payout: PayoutState
  /** what of the task's total is of contributions */
  total: bigint
}

async function present<T> (read: Promise<{ value: T | null }>, key: string, height: number): Promise<T> {
  const { value } = await read

  if (value === null) {
    throw new StateProofError(key, height, 'the key is proven to be absent, although a payout rests on it')
  }

  return value
}

async function gather (client: LightClient, taskId: Hash, cid: CID, options: AbortOptions): Promise<Facts> {
  const at = await client.sync(options)
  const { height } = at.header
  const read = { ...options, height }
  const { value: paid } = await client.payout(taskId, cid, read)

  if (paid === null) {
    throw new NotPaidError(cid.toString(), height)
  }

  const task = await present(client.task(taskId, read), `task/${toHex(taskId)}`, height)
  const adapter = await present(client.adapter(task.adapter, read), `adapter/${task.adapter.toString()}`, height)
  const parents: Facts['parents'] = []

  for (const parent of adapter.parents ?? []) {
    const state = await present(client.adapter(parent.adapter, read), `adapter/${parent.adapter.toString()}`, height)

    if (state.contributions.some(one => one.equals(cid))) {
      parents.push({ ...parent, state })
    }
  }

  return {
    at,
    payout: paid,
    task,
    contribution: await present(client.contribution(cid, read), `contribution/${cid.toString()}`, height),
    adapter,
    parents,
    total: dataTotal(task.total, adapter.parents !== undefined)
  }
}

function headerStep ({ client }: Components, { at }: Facts): Step {
  const { signers, validators, stake, totalStake } = client.signersOf(at)

  return {
    title: 'The block is final',
    detail: `height ${at.header.height}: ${signers} of ${validators} validators with ${stake * 100n / totalStake} % of the stake signed it; their aggregate BLS signature verifies`,
    // a header that does not verify never gets here
    verified: true
  }
}

/** The record that the contributor signed, if the source has it. */
async function recordStep ({ source, timeoutMs }: Components, { contribution }: Facts, cid: CID, options: AbortOptions): Promise<{ title: string, steps: Step[] }> {
  if (source.datum === undefined) {
    return { title: cid.toString(), steps: [] }
  }

  const { datum } = source
  const bytes = await ask(`the record ${cid.toString()}`, timeoutMs, options, async within => datum.call(source, cid, within))

  if (!equalBytes(cidOf(bytes).bytes, cid.bytes)) {
    throw new SourceError(`the record ${cid.toString()}`, 'the bytes hash to another CID')
  }

  const record = signedCodec(contributionCodec).decode(bytes)
  verifyRecord(domains.contribution, contributionCodec, record, record.payload.contributor)

  return {
    title: record.payload.title,
    steps: [{
      title: 'The contributor signed the record',
      detail: `“${record.payload.title}”, ${record.payload.rows} rows, by ${accountToString(record.signer)}; the record hashes to its CID`,
      verified: equalBytes(record.signer, contribution.contributor)
    }]
  }
}

async function admissionSteps ({ client }: Components, { at, contribution }: Facts, cid: CID, options: AbortOptions): Promise<Step[]> {
  const validators = client.validatorsOf(at)
  const total = validators.reduce((sum, { stake }) => sum + stake, 0n)
  let stake = 0n
  let admits = 0

  for (const validator of validators) {
    const { value } = await client.attestation(cid, validator.account, { ...options, height: at.header.height })

    if (value?.verdict === 'admit') {
      stake += validator.stake
      admits++
    }
  }

  return [{
    title: 'The contribution was admitted',
    detail: `in the state as ${contribution.status}, ordered at height ${contribution.height}`,
    verified: contribution.status === 'admitted'
  }, {
    title: 'Validators attested it',
    detail: `${admits} of ${validators.length} attested “admit”, ${stake * 100n / total} % of the stake; more than two thirds are needed`,
    verified: 3n * stake > 2n * total
  }]
}

/** Of a merge, by which of its parents it comes to the contribution. */
function parentSteps ({ adapter, parents, task }: Facts): Step[] {
  return adapter.parents === undefined
    ? []
    : [{
        title: 'The answers were of several adapters',
        detail: `adapter ${task.adapter.toString()} adds up ${adapter.parents.length} adapters; ${parents.map(one => `${one.adapter.toString()} (${one.weightMilli / 1000} times)`).join(' and ')} of them list the contribution`,
        verified: parents.length > 0 && parents.every(({ state }) => state.status === 'admitted')
      }]
}

function agreementSteps ({ adapter, task }: Facts, cid: CID): Step[] {
  const agreeing = task.seats.filter(seat => seat.fault === null && seat.scoreRoot !== null && task.scoreRoot !== null && equalBytes(seat.scoreRoot, task.scoreRoot)).length
  const root = task.scoreRoot

  return [{
    title: 'The adapter was trained on it',
    detail: `adapter ${task.adapter.toString()} (${adapter.status}) lists it among its ${adapter.contributions.length} contributions`,
    verified: adapter.status === 'admitted' && adapter.contributions.some(one => one.equals(cid))
  }, {
    title: 'The committee agreed on the scores',
    detail: root === null ? 'there is no score root' : `${agreeing} of ${task.seats.length} assessors recomputed the score root ${toHex(root)}`,
    verified: root !== null && task.phase === 'settled' && (3 * agreeing >= 2 * task.seats.length || task.verdicts.length > 0)
  }]
}

/** Rebuilds the score tree from the table and finds the score under the agreed root. */
function inclusion (table: ScoreTable, { adapter, task, payout: paid }: Facts, cid: CID): boolean {
  const tree = scoreTree(table)
  const index = table.entries.findIndex(entry => entry.contribution.equals(cid))

  return task.scoreRoot !== null && index !== -1 && table.adapter.equals(task.adapter) && tree.total === task.total &&
    table.entries[index].score === paid.score && tree.count === adapter.contributions.length + (adapter.parents?.length ?? 0) &&
    verifyScoreClaim(task.scoreRoot, tree.count, tree.claim(index))
}

async function scoreStep ({ source, timeoutMs }: Components, facts: Facts, taskId: Hash, cid: CID, options: AbortOptions): Promise<Step> {
  const title = 'Its score is under the agreed root'
  const { score } = facts.payout

  if (source.scores === undefined) {
    return {
      title,
      detail: `score ${score} of ${facts.total}: in the certified state; the ledger pays only by a Merkle proof, which this source does not repeat`,
      verified: false
    }
  }

  const { scores } = source
  const table = await ask('the scores of the task', timeoutMs, options, async within => scores.call(source, taskId, within))

  return { title, detail: `score ${score} of ${facts.total}, by Merkle proof in a tree of ${table.entries.length} entries`, verified: inclusion(table, facts, cid) }
}

async function paymentSteps ({ client }: Components, { at, contribution, payout: paid, task, total }: Facts, options: AbortOptions): Promise<Step[]> {
  const { withdrawn } = contribution
  const detail = `${paid.amount} base units = ${task.dataPool} × ${paid.score} / ${total}, at height ${paid.height}`
  const isShare = paid.amount === payout(task.dataPool, paid.score, total)

  if (withdrawn !== undefined && task.epoch > withdrawn.epoch) {
    return [{
      title: 'Its share went to the treasury',
      detail: `${detail}; the contributor withdrew it in epoch ${withdrawn.epoch}, and is paid up to that one`,
      verified: isShare && !equalBytes(paid.contributor, contribution.contributor)
    }]
  }

  const { value: account } = await client.account(contribution.contributor, { ...options, height: at.header.height })

  return [{
    title: 'It was paid its share',
    detail,
    verified: isShare && equalBytes(paid.contributor, contribution.contributor)
  }, {
    title: 'The contributor has it',
    detail: `${accountToString(contribution.contributor)} holds ${account?.balance ?? 0n} base units now; the contribution has earned ${contribution.earned} in all`,
    verified: account !== null && contribution.earned >= paid.amount
  }]
}

/** See `LightClient.why`. */
export async function whyPaid (components: Components, taskId: Hash, cid: CID, options: AbortOptions): Promise<WhyView> {
  const facts = await gather(components.client, taskId, cid, options)
  const { at, contribution, payout: paid, task, total } = facts
  const { title, steps: record } = await recordStep(components, facts, cid, options)
  const { signers, validators } = components.client.signersOf(at)

  return {
    contribution: cid.toString(),
    contributor: accountToString(contribution.contributor),
    title,
    task: toHex(taskId),
    adapter: task.adapter.toString(),
    epoch: task.epoch,
    score: String(paid.score),
    totalScore: String(total),
    // for people: rounded to a hundredth of a per cent
    sharePercent: total === 0n ? 0 : Number(paid.score * 10_000n / total) / 100,
    dataPool: String(task.dataPool),
    amount: String(paid.amount),
    steps: [
      headerStep(components, facts),
      ...record,
      ...await admissionSteps(components, facts, cid, options),
      ...parentSteps(facts),
      ...agreementSteps(facts, cid),
      await scoreStep(components, facts, taskId, cid, options),
      ...await paymentSteps(components, facts, options)
    ],
    header: { height: at.header.height, hash: toHex(headerHash(at.header)), stateRoot: toHex(at.header.stateRoot), signers, validators }
  }
}
