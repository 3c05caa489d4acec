import { accountToString } from '../identity/index.ts'
import { ADAPTER_NAME, ANSWER_TOKENS, BALANCES, EPOCH_BEGINNING_BLOCKS, LATER_QUESTION, QUESTIONS, SAMPLER, SPEECHES, VALIDATORS } from './constants.ts'
import { StepFailedError } from './errors.ts'
import { demoAccount } from './setup.ts'
import { loadSpeech } from './speeches.ts'
import { studio, until } from './step-context.ts'
import type { StepContext } from './step-context.ts'
import type { AccountView, AnswerView, BaseView, ContributionView, DatanetView, NodeStatus, TaskView, TrainingView } from '../interface/index.ts'

/** All peers know each other and blocks come. */
export async function connected (context: StepContext): Promise<void> {
  const { swarm, signal } = context

  for (const { api, name } of swarm.list()) {
    await until(context, async () => {
      const { peers, height } = await api.get<NodeStatus>('/api/v1/status', { signal })

      context.tell(`${name}: ${peers.length} peers, height ${height}`)

      return peers.length > 0 && height > 0 ? true : undefined
    }, `the first block on ${name}`)
  }
}

/** Assessors stake, so that they can be drawn into committees. */
export async function stake (context: StepContext): Promise<void> {
  const { swarm, signal } = context

  await Promise.all(VALIDATORS.map(async name => {
    const { api } = swarm.get(name)
    const account = await api.get<AccountView>(`/api/v1/accounts/${accountToString(demoAccount(name))}`, { signal })

    if (BigInt(account.staked) === 0n) {
      await api.post('/api/v1/wallet/stake', { amount: BALANCES.assessorStake.toString() }, { signal })
    }
  }))
}

/** The Datanet of the speeches, created by the developer. */
export async function createDatanet (context: StepContext): Promise<string> {
  const { journal, signal } = context

  if (journal.state.datanet == null) {
    const made = (await studio(context).get<DatanetView[]>('/api/v1/datanets', { signal })).find(({ curator }) => curator === accountToString(demoAccount('developer')))

    // created by an attempt whose answer was lost
    if (made != null) {
      await journal.save({ datanet: made.datanet })
      return made.datanet
    }

    const { datanet } = await studio(context).post<{ datanet: string }>('/api/v1/datanets', {
      as: 'developer',
      name: 'state-of-the-union',
      title: 'State of the Union',
      description: 'Speeches of the presidents of the United States to Congress, in the public domain.',
      licence: 'CC0-1.0',
      fields: [{ name: 'text', type: 'string', required: true }, { name: 'year', type: 'integer', required: true }],
      textField: 'text'
    }, { signal })

    await journal.save({ datanet })
  }

  return journal.state.datanet as string
}

/** Each president contributes a speech from one of the two contributors' nodes. */
export async function contribute (context: StepContext): Promise<void> {
  const { swarm, journal, signal } = context
  const datanet = await createDatanet(context)

  const done = await Promise.allSettled(['alice', 'bob'].map(async name => {
    const { api } = swarm.get(name)

    await until(context, async () => (await api.get<Array<{ datanet: string }>>('/api/v1/datanets', { signal })).find(view => view.datanet === datanet), `the Datanet on ${name}`)

    for (const { president, file } of SPEECHES.filter(speech => speech.node === name && journal.state.contributions[speech.president] == null)) {
      const { title, jsonl } = await loadSpeech(file)
      const query = new URLSearchParams({ as: president, datanet, title, format: 'jsonl' })
      const { contribution } = await api.upload<{ contribution: string }>(`/api/v1/contributions?${query.toString()}`, jsonl, { signal })

      await journal.save({ contributions: { ...journal.state.contributions, [president]: contribution } })
      context.tell(`${title} is on the ledger`)
    }
  }))

  // when one has to try again, the other must not be at work any more
  for (const outcome of done) {
    if (outcome.status === 'rejected') {
      throw outcome.reason
    }
  }
}

/** A quorum of validators has fetched, checked and attested each contribution. */
export async function validated (context: StepContext): Promise<ContributionView[]> {
  const { signal } = context
  const datanet = await createDatanet(context)

  return until(context, async () => {
    const views = await studio(context).get<ContributionView[]>(`/api/v1/contributions?datanet=${datanet}`, { signal })
    const rejected = views.find(({ status }) => status === 'rejected')
    const admitted = views.filter(({ status }) => status === 'admitted').length

    if (rejected != null) {
      throw new StepFailedError(`the validators rejected ${rejected.title}`)
    }

    context.tell(`${admitted} of ${SPEECHES.length} contributions admitted`)

    return admitted === SPEECHES.length ? views : undefined
  }, 'the admission of all contributions')
}

/** The adapter: fine-tuned, its Jacobian computed, published and admitted. */
export async function train (context: StepContext): Promise<TrainingView> {
  const { journal, signal } = context
  const api = studio(context)

  if (journal.state.training == null) {
    const [{ base }] = await api.get<BaseView[]>('/api/v1/bases', { signal })
    const begun = (await api.get<TrainingView[]>('/api/v1/trainings', { signal })).find(({ name }) => name === ADAPTER_NAME)
    const { id } = begun ?? await api.post<TrainingView>('/api/v1/trainings', {
      as: 'developer', name: ADAPTER_NAME, base, datanets: [journal.state.datanet], preset: 'quick'
    }, { signal })

    await journal.save({ training: id })
  }

  const done = await until(context, async () => {
    const view = await api.get<TrainingView>(`/api/v1/trainings/${journal.state.training as string}`, { signal })

    context.tell(describe(view))

    if (view.state === 'failed' || view.state === 'cancelled') {
      throw new StepFailedError(view.error?.message ?? 'the training was cancelled')
    }

    return view.state === 'done' ? view : undefined
  }, 'the adapter')

  await journal.save({ adapter: done.adapter })

  return done
}

function describe ({ state, step, steps, losses, progress, secondsLeft }: TrainingView): string {
  const left = secondsLeft == null || secondsLeft < 1 ? '' : `, about ${Math.ceil(secondsLeft)} s left`

  switch (state) {
    case 'training': return `step ${step} of ${steps}, loss ${losses.at(-1)?.toFixed(3) ?? '–'} nats per token${left}`
    case 'influence': return `influence Jacobian ${Math.round(progress * 100)} %${left}`
    case 'attesting': return 'validators train a segment again and compare bytes'
    default: return state
  }
}

/** Waits for the first blocks of an epoch that comes after another, so that all questions of a set fall into one epoch. */
async function freshEpoch (context: StepContext, after: number): Promise<void> {
  const { signal } = context

  await until(context, async () => {
    const { height, epoch, params } = await studio(context).get<NodeStatus>('/api/v1/status', { signal })
    const within = height % Number(params.epochBlocks)

    context.tell(`height ${height}, the next epoch begins in ${Number(params.epochBlocks) - within} blocks`)

    return epoch > after && within <= EPOCH_BEGINNING_BLOCKS ? true : undefined
  }, 'a new epoch')
}

/** Paid questions, then the gateway puts them on the ledger. */
export async function ask (context: StepContext, set: 'first' | 'later'): Promise<AnswerView[]> {
  const { swarm, journal, signal } = context
  const questions = set === 'first' ? [...QUESTIONS] : [LATER_QUESTION]
  const open = questions.filter(question => journal.state.answers[question] == null)

  if (open.length > 0) {
    await freshEpoch(context, set === 'later' ? journal.state.executedIn ?? 0 : -1)
  }

  for (const prompt of open) {
    context.tell(`“${prompt} …”`)

    const paid = (await studio(context).get<AnswerView[]>('/api/v1/answers', { signal })).find(view => view.prompt === prompt)
    const answer = paid ?? await studio(context).post<AnswerView>('/api/v1/ask', {
      as: 'customer', adapter: journal.state.adapter, prompt, maxTokens: ANSWER_TOKENS, ...SAMPLER
    }, { signal, timeoutMs: 180_000 })

    await journal.save({ answers: { ...journal.state.answers, [prompt]: answer } })
  }

  // again if need be: what is redeemed already is not redeemed twice
  if (journal.state.tasks[set] == null) {
    await swarm.get('gateway').api.post('/api/v1/gateway/redeem', {}, { signal })
  }

  return questions.map(question => journal.state.answers[question])
}

/** The cutoff has made a task of the receipts and the beacon has drawn its committee. */
export async function drawn (context: StepContext, set: 'first' | 'later'): Promise<TaskView> {
  const { journal, signal } = context
  const others = Object.values(journal.state.tasks)

  const task = await until(context, async () => {
    const tasks = await studio(context).get<TaskView[]>('/api/v1/tasks', { signal })

    return tasks.find(view => journal.state.tasks[set] === view.task || (journal.state.tasks[set] == null && !others.includes(view.task) && view.seats.length > 0))
  }, 'the committee')

  await journal.save({ tasks: { ...journal.state.tasks, [set]: task.task } })

  return task
}

/** The committee has committed, revealed and opened, and everybody was paid. */
export async function settled (context: StepContext, set: 'first' | 'later'): Promise<TaskView> {
  const { journal, signal } = context
  const id = journal.state.tasks[set]

  return until(context, async () => {
    const task = (await studio(context).get<TaskView[]>('/api/v1/tasks', { signal })).find(view => view.task === id)

    if (task == null) {
      return undefined
    }

    const did = (state: string): number => task.seats.filter(seat => seat.state === state).length

    context.tell(`${task.phase}: ${did('committed')} committed, ${did('revealed')} revealed, ${did('opened')} opened of ${task.seats.length} seats, ${task.payouts.length} payouts`)

    if (task.phase === 'unavailable') {
      throw new StepFailedError('the committee could not get the receipts: the task is unavailable')
    }

    return task.phase === 'settled' && task.payouts.length > 0 ? task : undefined
  }, 'the settlement')
}
