import { accountToString } from '../identity/index.ts'
import { WRAPPED } from './constants.ts'
import { StepFailedError } from './errors.ts'
import { demoAccount } from './setup.ts'
import { studio, until } from './step-context.ts'
import type { StepContext } from './step-context.ts'
import type { AccountView, NodeStatus, ProposalView } from '../interface/index.ts'

const PROPOSAL = 'Pay data 55 % of each fee instead of 50 %'

/** OPEN is wrapped and delegated, and a proposal is voted on and queued. */
export async function vote (context: StepContext): Promise<void> {
  const { journal, signal } = context
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

  if (journal.state.proposal == null) {
    const made = (await api.get<ProposalView[]>('/api/v1/proposals', { signal })).find(({ title }) => title === PROPOSAL)
    const { proposal } = made ?? await api.post<{ proposal: number }>('/api/v1/gov/propose', {
      as: 'developer',
      title: PROPOSAL,
      params: { feeSplit: { platform: 1_000, developers: 2_000, validators: 1_500, data: 5_500 } }
    }, { signal })

    await journal.save({ proposal })
  }

  await proposalIs(context, 'active', async proposal => {
    await api.post('/api/v1/gov/vote', { as: 'developer', proposal, support: 'for' }, { signal })
  })
  await proposalIs(context, 'succeeded', async proposal => {
    await api.post('/api/v1/gov/queue', { as: 'developer', proposal }, { signal })
  })
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
