import type { AdapterView, AnswerView, BaseView, ContributionView, DatanetView, NodeStatus, PresetView, ProposalView, SpanView, TaskView, TrainingEstimateView } from '../../src/interface/index.ts'

/** What a node of the demo says, cut down: canned views for tests of the page, never shipped. */

const OPEN = 10n ** 18n
export const amount = (thousandths: number): string => (BigInt(thousandths) * OPEN / 1000n).toString()

/** Looks like an account. */
export const account = (name: string): string => `z6Mk${name.replace(/[^a-z]/g, '')}${'Hx7QvT2nRk4LsWf9YbJm3ZpCdGeAuVtq8NhXyP5r'.slice(name.length)}`.padEnd(48, '1')

/** Looks like a CID. */
export const cid = (name: string): string => `bafyrei${name.replace(/[^a-z]/g, '').slice(0, 40)}${'k5q2nx7w3vj4hd6yt2mzp7cb5lgs4ufoae3irxw6yqvhjdn2m'.slice(name.length)}`.slice(0, 59)

export const validators = ['validator-1', 'validator-2', 'validator-3', 'validator-4'].map((_, index) => account(`validator${'abcd'[index]}`))

const speeches = [
  ['washington', 'George Washington 1790'], ['jefferson', 'Thomas Jefferson 1801'], ['jackson', 'Andrew Jackson 1830'], ['lincoln', 'Abraham Lincoln 1862'],
  ['roosevelt', 'Theodore Roosevelt 1905'], ['kennedy', 'John F. Kennedy 1962'], ['reagan', 'Ronald Reagan 1984'], ['obama', 'Barack Obama 2010']
] as const

export const datanet: DatanetView = {
  datanet: cid('datanet'),
  name: 'state-of-the-union',
  title: 'State of the Union',
  description: 'Speeches of the presidents of the United States to Congress, in the public domain.',
  licence: 'CC0-1.0',
  curator: account('developer'),
  contributions: speeches.length,
  admitted: speeches.length
}

export const contributions: ContributionView[] = speeches.map(([name, title], index) => ({
  contribution: cid(name),
  datanet: datanet.datanet,
  contributor: account(name),
  title,
  rows: 16,
  bytes: 10_240 + index * 317,
  status: 'admitted',
  attestations: validators.map(validator => ({ validator, verdict: 'admit' as const })),
  earned: '0'
}))

export const base: BaseView = { base: cid('base'), name: 'datanet-base-1', licence: 'Apache-2.0 OR MIT', parameters: 2_130_000, contextLength: 256 }

export const presets: PresetView[] = [
  { preset: 'quick', title: 'Quick', description: 'A small adapter in well under a minute. Picks up the tone of the data; good for a first look and for exact attribution.', rank: 4, steps: 16, batchSize: 32, sequenceLength: 64, targets: ['q_proj', 'v_proj'], learningRate: 0.005 },
  { preset: 'careful', title: 'Careful', description: 'A larger adapter on all projections with more steps. Follows the data more closely and takes some minutes.', rank: 8, steps: 48, batchSize: 40, sequenceLength: 64, targets: ['q_proj'], learningRate: 0.003 }
]

export const estimate: TrainingEstimateView = {
  steps: 16,
  contributions: speeches.length,
  parameters: 10_240,
  tokens: 32_768,
  influence: 'forward',
  operations: 3.1e12,
  seconds: 38,
  influenceSeconds: 21,
  tokensPerSecond: 2_100,
  memoryBytes: 310_000_000,
  storedBytes: 1_200_000,
  method: 'trajectory',
  methodMeaning: 'Exact.',
  assessmentOperations: 1e12,
  assessmentSeconds: 44,
  assessmentBytes: 6_500_000,
  methods: [
    { method: 'trajectory', meaning: 'Exact: how the answer changes with the weight of each example, through every step of the run.', seconds: 44, bytes: 6_500_000 },
    { method: 'graddot', meaning: 'One small step of gradient descent on each example at the end of the run; knows no optimiser, order or curvature.', seconds: 3, bytes: 82_000 },
    { method: 'ekfac', meaning: 'A step of natural gradient with Kronecker factors and measured eigenvalues; assumes that training has converged.', seconds: 12, bytes: 31_000_000 }
  ]
}

export const losses = Array.from({ length: 16 }, (_, step) => 4.12 - 0.62 * step / (step + 4) + [0, 0.03, -0.02, 0.01][step % 4])

export const adapter: AdapterView = {
  adapter: cid('adapter'),
  name: 'state-of-the-union',
  developer: account('developer'),
  base: base.base,
  contributions: speeches.length,
  status: 'admitted',
  losses,
  influence: 'forward',
  origin: 'trained',
  deprecated: null,
  pricePerThousandTokens: amount(50),
  promptPricePerThousandTokens: amount(50),
  earned: '0'
}

export const status: NodeStatus = {
  chain: 'datanet-demo',
  name: 'studio',
  account: account('studio'),
  peerId: '12D3KooWStudio',
  roles: [],
  peers: ['alice', 'bob', 'gateway', 'va', 'vb', 'vc', 'vd'].map(name => ({ peerId: `12D3KooW${name}`, address: '/ip4/127.0.0.1/tcp/4001' })),
  height: 127,
  epoch: 4,
  finalisedView: 131,
  stateRoot: 'ab'.repeat(32),
  balance: '0',
  gopen: '0',
  validators: validators.map(validator => ({ account: validator, stake: amount(1_000_000_000) })),
  params: {
    feeSplit: { platform: 1_000, developers: 2_000, validators: 2_000, data: 5_000 },
    epochBlocks: 30,
    challengeBlocks: 2,
    votingDelayBlocks: 1,
    votingPeriodBlocks: 20,
    timelockBlocks: 3,
    quorumBp: 400,
    proposalThreshold: amount(1_000_000),
    feePerByte: amount(0),
    feeProposerBp: 5_000,
    validatorsMax: 128,
    validatorStakeMin: amount(1_000),
    unbondEpochs: 3,
    assessorStakeMin: amount(100_000),
    seats: 4
  }
}

export const wallet = [['base-lab', 0], ['customer', 49_871_220], ['developer', 29_999_104], ['studio', 0], ['treasury', 12]].map(([name, thousandths]) => ({
  name: String(name), account: account(String(name)), balance: amount(Number(thousandths)), nonce: 0, staked: '0', gopen: '0', votes: '0', delegate: null as string | null
}))

const influences = [0.021, 0.034, 0.008, 0.052, 0.017, -0.006, 0.011, -0.003]
const positive = influences.reduce((sum, influence) => sum + Math.max(0, influence), 0)
const words = [' one', ' of', ' peace', ' and', ' pros', 'perity', ',', ' and', ' the', ' people', ' of', ' the', ' United', ' States', ' have', ' been', ' enabled', ' to', ' extend', ' their', ' commerce', ' and', ' to', ' pay', ' the', ' public', ' debt', ',', '\nand', ' to', ' provide', ' for', ' the', ' common', ' defence', '.']

/** Words of the answer that stand in a contribution. */
function span (from: number, end: number, rarityBits: number, count: number, index: number): SpanView {
  const { contribution, contributor, title } = contributions[index]

  return { from, end, text: words.slice(from, end).join(''), count, rarityBits, citations: [{ contribution, contributor, title, row: 7, before: 'It has', after: ' at home and abroad.' }] }
}

/** An answer to a prompt; always the same words. */
export function answer (prompt: string, receipt = cid(`receipt${prompt.replace(/\W/g, '').toLowerCase()}`)): AnswerView {
  const tokens = words.map((text, index) => {
    const share = [3, 1, 3, null, 0, 0, 4, 1, 1, 3, 2, 6, 3, 1][index % 14]

    return { text, share, influence: share == null ? 0 : 0.001 + (index * 7 % 11) / 2_000 }
  })

  return {
    receipt,
    adapter: adapter.adapter,
    prompt,
    answer: words.join(''),
    tokens,
    shares: contributions.map(({ contribution, contributor, title }, index) => ({ contribution, contributor, title, influence: influences[index], share: Math.max(0, influences[index]) / positive })),
    spans: [span(16, 21, 61.4, 1, 3), span(7, 14, 38.2, 12, 1)],
    method: 'trajectory',
    precision: 'exact',
    fee: amount(2),
    promptTokens: Math.ceil(prompt.length / 3.4),
    outputTokens: words.length,
    milliseconds: 1_340
  }
}

/** The same of a merge: one adapter of these contributions, and one of data that nobody knows. */
export function mergedAnswer (prompt: string): AnswerView {
  const view = answer(prompt)
  const parent = (name: string, weight: number, share: number): NonNullable<AnswerView['parents']>[number] => ({
    adapter: cid(name), name, developer: account('developer'), weight, effect: 10 * share, share, contributions: []
  })

  return {
    ...view,
    method: 'merged',
    parents: [{ ...parent('speeches', 0.7, 0.6), contributions: view.shares.map(({ contribution, share }) => ({ contribution, share: 0.6 * share })) }, parent('sailor', 0.3, 0.4)],
    shares: view.shares.map(one => ({ ...one, share: 0.6 * one.share })),
    tokens: view.tokens.map((token, index) => ({ ...token, parent: token.share == null ? [1, null, null][Math.floor(index / 14)] : 0 }))
  }
}

export const scoreRoot = '7e3a91c4'.repeat(8)

export function task (phase: string, seat: TaskView['seats'][number]['state'], change: Partial<TaskView> = {}): TaskView {
  const reached = seat === 'revealed' || seat === 'opened'

  return {
    task: '5d2f'.repeat(16),
    adapter: adapter.adapter,
    epoch: 4,
    phase,
    fees: amount(4),
    scoreRoot: phase === 'collecting' || phase === 'commit' || phase === 'reveal' ? null : scoreRoot,
    deadline: 150,
    seats: phase === 'collecting' ? [] : validators.map(assessor => ({ assessor, state: seat, scoreRoot: reached ? scoreRoot : null, fault: null })),
    payouts: [],
    ...change
  }
}

export const payouts: TaskView['payouts'] = contributions.map(({ contribution, contributor }, index) => ({
  account: contributor, reason: 'data', contribution, amount: (2n * OPEN / 1000n * BigInt(Math.round(Math.max(0, influences[index]) * 1e6)) / BigInt(Math.round(positive * 1e6))).toString()
})).filter(payout => payout.amount !== '0')

export function proposal (state: string, votes = 0): ProposalView {
  return {
    proposal: 0,
    title: 'Pay data 55 % of each fee instead of 50 %',
    status: state,
    proposer: account('developer'),
    for: amount(votes),
    against: '0',
    abstain: '0',
    voteStart: 129,
    voteEnd: 149,
    eta: state === 'queued' ? 130 : null,
    actions: [{ kind: 'set-params', params: { feeSplit: { platform: 1_000, developers: 2_000, validators: 1_500, data: 5_500 } } }]
  }
}
