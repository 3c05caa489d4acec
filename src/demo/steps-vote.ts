import { accountToString } from '../identity/index.ts'
import { DEMO_PARAMS, WRAPPED } from './constants.ts'
import { StepFailedError } from './errors.ts'
import { demoAccount } from './setup.ts'
import { studio, until } from './step-context.ts'
import type { StepContext } from './step-context.ts'
import type { AccountView, NodeStatus, ProposalView } from '../interface/index.ts'

const PROPOSAL = 'Pay data 55 % of each fee instead of 50 %'

/** Proposals are made anew so often when their vote passes without a voice. */
const PROPOSALS_MAX = 5

/** OPEN is wrapped and delegated, and a proposal is voted on and queued. */
export async function vote (context: StepContext): Promise<void> {
  await wrapAndDelegate(context)

  for (let made = 0; made < PROPOSALS_MAX; made++) {
    await propose(context)

    if (await votedAndQueued(context)) {
      return
    }

    // blocks went on while this machine slept, was stopped or was too slow to vote within the period
    context.tell(`proposal ${context.journal.state.proposal as number} ended before it was voted on; proposing again`)
    await context.journal.save({ proposal: undefined })
  }

  throw new StepFailedError(`${PROPOSALS_MAX} proposals in a row ended before a vote reached them: this machine is slower than ${DEMO_PARAMS.votingPeriodBlocks as number} blocks; start again when it is less busy`)
}

async function wrapAndDelegate (context: StepContext): Promise<void> {
  const { signal } = context
  const api = studio(context)

  for (const as of ['developer', 'customer']) {
    const account = accountToString(demoAccount(as))
    const { gopen, votes } = await api.get<AccountView>(`/api/v1/accounts/${account}`, { signal })

    if (BigInt(gopen) === 0n) {
      await api.post('/api/v1/gov/wrap', { as, amount: WRAPPED.toString() }, { signal })
    }

    // the customer lets the developer vote for it
    if (as === 'customer' || BigInt(votes) === 0n) {
      await api.post('/api/v1/gov/delegate', { as, to: accountToString(demoAccount('developer')) }, { signal })
    }
  }
}

async function propose (context: StepContext): Promise<void> {
  const { journal, signal } = context
  const api = studio(context)

  if (journal.state.proposal != null) {
    return
  }

  // one that an earlier start made and had no time to note
  const made = (await api.get<ProposalView[]>('/api/v1/proposals', { signal })).find(({ title, status }) => title === PROPOSAL && status !== 'defeated')
  const { proposal } = made ?? await api.post<{ proposal: number }>('/api/v1/gov/propose', {
    as: 'developer',
    title: PROPOSAL,
    params: { feeSplit: { platform: 1_000, developers: 2_000, validators: 1_500, data: 5_500 } }
  }, { signal })

  await journal.save({ proposal })
}

/** @returns false if the vote ended without being won */
async function votedAndQueued (context: StepContext): Promise<boolean> {
  const { signal } = context
  const api = studio(context)

  try {
    await proposalIs(context, 'active', async proposal => {
      await api.post('/api/v1/gov/vote', { as: 'developer', proposal, support: 'for' }, { signal })
    })
    await proposalIs(context, 'succeeded', async proposal => {
      await api.post('/api/v1/gov/queue', { as: 'developer', proposal }, { signal })
    })

    return true
  } catch (err) {
    // a vote that came too late is refused by the ledger; what counts is how it stands with the proposal
    if ((await readProposal(context)).status === 'defeated') {
      return false
    }

    throw err
  }
}

/** The proposal is executed: the new split holds from the next epoch on. */
export async function execute (context: StepContext): Promise<void> {
  const { signal } = context

  await proposalIs(context, 'queued', async proposal => {
    await until(context, async () => {
      const { height } = await studio(context).get<NodeStatus>('/api/v1/status', { signal })
      const eta = (await readProposal(context)).eta ?? 0

      return height + 1 >= eta ? true : undefined
    }, 'the end of the timelock')
    await studio(context).post('/api/v1/gov/execute', { as: 'developer', proposal }, { signal })
  })

  if (context.journal.state.executedIn == null) {
    const { epoch } = await studio(context).get<NodeStatus>('/api/v1/status', { signal })

    await context.journal.save({ executedIn: epoch })
  }
}

async function readProposal (context: StepContext): Promise<ProposalView> {
  const { journal, signal } = context
  const proposals = await studio(context).get<ProposalView[]>('/api/v1/proposals', { signal })
  const found = proposals.find(({ proposal }) => proposal === journal.state.proposal)

  if (found == null) {
    throw new StepFailedError('the proposal is not on the ledger')
  }

  return found
}

const stages = ['pending', 'active', 'succeeded', 'queued', 'executed']

/** Acts once the proposal is in a stage; does nothing if it is past it already. */
async function proposalIs (context: StepContext, stage: string, action: (proposal: number) => Promise<void>): Promise<void> {
  const view = await until(context, async () => {
    const found = await readProposal(context)

    context.tell(`proposal ${found.proposal} is ${found.status}`)

    if (found.status === 'defeated') {
      throw new StepFailedError('the proposal was defeated')
    }

    return stages.indexOf(found.status) >= stages.indexOf(stage) ? found : undefined
  }, `the proposal's stage "${stage}"`)

  // a vote that was cast in an earlier start shows in the count
  if (view.status === stage && !(stage === 'active' && BigInt(view.for) > 0n)) {
    await action(view.proposal)
  }
}
