import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import fastify from 'fastify'
import * as canned from './fixture-data.ts'
import type { NodeEvent, ProposalView, TaskView, TrainingView, WhyView } from '../../src/interface/index.ts'
import type { FastifyInstance } from 'fastify'
import type { ServerResponse } from 'node:http'

/** A node that says what a test wants it to say, behind the API that real nodes have. */
export interface Fixture {
  url: string
  readonly state: FixtureState
  /** what the page asked for by POST, in order */
  readonly posts: Array<{ path: string, body: unknown }>
  /** sends an event to the page, and makes the views agree with it */
  tell (event: NodeEvent): void
  /** ends all event streams, as a restart of the node would */
  hangUp (): void
  stop (): Promise<void>
}

/** All mutable, so that a test can change what comes next. */
export interface FixtureState {
  status: typeof canned.status
  wallet: typeof canned.wallet
  datanets: Array<typeof canned.datanet>
  contributions: typeof canned.contributions
  bases: Array<typeof canned.base>
  presets: typeof canned.presets
  trainings: TrainingView[]
  adapters: Array<typeof canned.adapter>
  answers: Array<ReturnType<typeof canned.answer>>
  tasks: TaskView[]
  proposals: ProposalView[]
}

const TOKEN = 'fixture-token'

export async function fixture (root: string): Promise<Fixture> {
  const server = fastify({ forceCloseConnections: true })
  const streams = new Set<ServerResponse>()
  const posts: Fixture['posts'] = []
  const state: FixtureState = {
    status: structuredClone(canned.status),
    wallet: structuredClone(canned.wallet),
    datanets: [canned.datanet],
    contributions: structuredClone(canned.contributions),
    bases: [canned.base],
    presets: canned.presets,
    trainings: [],
    adapters: [],
    answers: [],
    tasks: [],
    proposals: []
  }

  server.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
  server.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith('/api/') && request.headers.authorization !== `Bearer ${TOKEN}`) {
      await reply.code(401).send({ error: { code: 'ERR_UNAUTHORIZED', message: 'expected the node\'s token as "Authorization: Bearer …"', hint: 'it is in api.json' } })
    }
  })
  server.addHook('preHandler', async request => {
    if (request.method === 'POST') {
      posts.push({ path: request.url.replace(/^\/api\/v1\//, '').split('?')[0], body: request.body })
    }
  })

  for (const name of Object.keys(state) as Array<keyof FixtureState>) {
    server.get(`/api/v1/${name}`, async () => state[name])
  }

  server.get('/api/v1/events', async (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.raw.write(': connected\n\n')
    streams.add(reply.raw)
    reply.raw.on('close', () => { streams.delete(reply.raw) })
  })

  actions(server, state)
  await server.register(fastifyStatic, { root: join(root, 'dist/ui') })
  const url = await server.listen({ host: '127.0.0.1', port: 0 })

  return {
    url: `${url}/#token=${TOKEN}`,
    state,
    posts,
    tell (event) {
      remember(state, event)
      streams.forEach(stream => { stream.write(`data: ${JSON.stringify(event)}\n\n`) })
    },
    hangUp () { streams.forEach(stream => { stream.end() }) },
    async stop () { await server.close() }
  }
}

function remember (state: FixtureState, event: NodeEvent): void {
  if (event.type === 'training') {
    state.trainings = [event.training, ...state.trainings.filter(({ id }) => id !== event.training.id)]
  } else if (event.type === 'task') {
    state.tasks = [event.task, ...state.tasks.filter(({ task }) => task !== event.task.task)]
  } else if (event.type === 'block') {
    state.status.height = event.height
  }
}

/** What a person can do; just enough to see that the page asks rightly and shows what comes. */
function actions (server: FastifyInstance, state: FixtureState): void {
  server.post<{ Body: { name: string, steps?: number } }>('/api/v1/trainings', async ({ body }) => {
    const view: TrainingView = { id: 'training-1', name: body.name, state: 'queued', step: 0, steps: body.steps ?? 16, losses: [], progress: 0 }

    state.trainings = [view]

    return view
  })

  server.post('/api/v1/trainings/estimate', async () => canned.estimate)

  server.delete('/api/v1/trainings/:id', async () => {
    state.trainings = state.trainings.map(view => ({ ...view, state: 'cancelled' }))

    return state.trainings[0]
  })

  server.post<{ Body: { prompt: string } }>('/api/v1/ask', async ({ body }, reply) => {
    if (body.prompt.includes('unpaid')) {
      return reply.code(402).send({ error: { code: 'ERR_PAYMENT_REQUIRED', message: 'expected a voucher of at least 2 but got 1', hint: 'let another account ask: this one has too little OPEN' } })
    }

    const view = canned.answer(body.prompt)

    state.answers = [view, ...state.answers]

    return view
  })

  server.post('/api/v1/datanets', async () => ({ datanet: canned.datanet.datanet, name: 'new' }))
  server.post('/api/v1/contributions', async () => ({ contribution: canned.cid('new') }))

  for (const path of ['wallet/stake', 'gov/wrap', 'gov/unwrap', 'gov/delegate', 'gov/propose', 'gov/vote', 'gov/queue', 'gov/execute']) {
    server.post(`/api/v1/${path}`, async () => ({ transaction: canned.cid('transaction'), height: state.status.height }))
  }

  server.get<{ Querystring: { contribution: string, task: string } }>('/api/v1/why', async ({ query }) => why(query.contribution, query.task))
}

function why (contribution: string, task: string): WhyView {
  const found = canned.contributions.find(other => other.contribution === contribution)
  const paid = canned.payouts.find(other => other.contribution === contribution)
  const step = (title: string, detail: string): WhyView['steps'][number] => ({ title, detail, verified: true })

  return {
    contribution,
    contributor: found?.contributor ?? '',
    title: found?.title ?? '',
    task,
    adapter: canned.adapter.adapter,
    epoch: 4,
    score: '363640000',
    totalScore: '1000000000',
    sharePercent: 36.36,
    dataPool: canned.amount(2),
    amount: paid?.amount ?? '0',
    steps: [
      step('The block is final', 'height 161: 4 of 4 validators with 100 % of the stake signed it; their aggregate BLS signature verifies'),
      step('The contributor signed the record', `“${found?.title ?? ''}”, 16 rows, by ${found?.contributor ?? ''}; the record hashes to its CID`),
      step('The contribution was admitted', 'in the state as admitted, ordered at height 21'),
      step('Validators attested it', '4 of 4 attested “admit”, 100 % of the stake; more than two thirds are needed'),
      step('The adapter was trained on it', `adapter ${canned.adapter.adapter} (admitted) lists it among its 8 contributions`),
      step('The committee agreed on the scores', `4 of 4 assessors recomputed the score root ${canned.scoreRoot}`),
      step('Its score is under the agreed root', 'score 363640000 of 1000000000, by Merkle proof in a tree of 8 entries'),
      step('It was paid its share', '727272 base units = 2000000 × 363640000 / 1000000000, at height 158'),
      step('The contributor has it', `${found?.contributor ?? ''} holds 100000727272 base units now`)
    ],
    header: { height: 161, hash: 'c4'.repeat(32), stateRoot: 'ab'.repeat(32), signers: 4, validators: 4 }
  }
}
