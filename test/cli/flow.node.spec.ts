import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { cleanTemporary, datanet, datanetInterrupted, lastJson, needBuilt, startNode, temporary } from './run.ts'
import type { Ended, RunningNode } from './run.ts'
import type { AnswerView, ContributionView, NodeStatus, ProposalView, TaskView, TrainingEstimateView, TrainingView, WhyView } from '../../src/interface/index.ts'

interface Status { status: NodeStatus, trainings: TrainingView[], tasks: TaskView[] }
interface Account { name: string, account: string, balance: string, staked: string, votes: string }

const NOUNS = ['river', 'harbour', 'letter', 'garden', 'lantern', 'window', 'bridge', 'valley', 'market', 'sailor', 'orchard', 'meadow', 'captain']
const VERBS = ['crosses', 'remembers', 'follows', 'repairs', 'describes', 'leaves', 'finds']

/** A few hundred lines, none like the other. */
const notes = Array.from({ length: 240 }, (_, i) => {
  const noun = (step: number): string => NOUNS[(i * step + Math.floor(i / NOUNS.length)) % NOUNS.length]

  return `On day ${i + 1} the ${noun(3)} ${VERBS[i % VERBS.length]} the ${noun(5)}, and nobody at the ${noun(7)} says why.`
}).join('\n\n')

describe('a node of one\'s own', function () {
  this.timeout(180_000)

  let dataDir: string
  let node: RunningNode | undefined

  const run = async (...args: string[]): Promise<Ended> => {
    const ended = await datanet('--data-dir', dataDir, ...args)

    expect(ended.code, `datanet ${args.join(' ')}\n${ended.all}`).to.equal(0)

    return ended
  }

  const ask = async <T>(...args: string[]): Promise<T> => lastJson<T>(await run('--json', ...args))

  before(async () => {
    needBuilt()
    dataDir = join(await temporary(), 'node')
    await run('init', '--api-port', '0')
    node = await startNode(dataDir)
  })

  after(async () => {
    await node?.interrupt()
    await cleanTemporary()
  })

  let contribution: string
  let task: string

  it('stakes for its own network, so that answers have a committee', async () => {
    await node?.line(/staked 100 OPEN/)

    expect((await ask<Account[]>('wallet')).find(({ name }) => name === 'main')).to.include({ staked: (100n * 10n ** 18n).toString() })
  })

  it('leaves the running node alone when it is started twice', async () => {
    const second = await datanet('--data-dir', dataDir, 'start')

    expect(second.code).to.equal(1)
    expect(second.stderr).to.include('stop the other node first')
    expect(existsSync(join(dataDir, 'api.json'))).to.be.true()
    await run('status')
  })

  it('takes a text, trains on it and answers with the share of each contribution', async () => {
    const file = join(dataDir, 'notes.txt')

    await writeFile(file, notes)
    expect((await run('create', 'notes', '--title', 'My notes', '--licence', 'CC0-1.0')).stdout).to.include('contribute notes <file>')

    const made = await ask<ContributionView>('contribute', 'notes', file, '--title', 'Notes of May')

    expect(made.status).to.equal('admitted')
    contribution = made.contribution

    const estimate = await ask<TrainingEstimateView>('train', 'notes', '--name', 'notes', '--steps', '2', '--targets', 'q_proj', '--estimate')

    expect(estimate).to.include({ steps: 2, influence: 'forward' })
    expect(estimate.seconds).to.be.greaterThan(0)
    expect(estimate.method).to.equal('trajectory')
    expect(estimate.methods.map(({ method }) => method)).to.include.members(['trajectory', 'graddot', 'ekfac'])
    expect(estimate.methods.find(({ method }) => method === 'trajectory')).to.deep.equal({ method: 'trajectory', meaning: estimate.methodMeaning, seconds: estimate.assessmentSeconds, bytes: estimate.assessmentBytes })
    expect(await ask<TrainingEstimateView>('train', 'notes', '--name', 'notes', '--steps', '2', '--method', 'datainf', '--estimate')).to.include({ method: 'datainf', influence: 'forward' })

    const trained = await ask<TrainingView>('train', 'notes', '--name', 'notes', '--steps', '2')

    expect(trained.state).to.equal('done')
    expect(trained.losses).to.have.lengthOf(2)

    // rows that are no conversations: it fails, and says so where one looks for a training that goes on
    const { code, stdout, stderr } = await datanet('--data-dir', dataDir, 'train', 'notes', '--name', 'talks', '--steps', '1', '--examples', 'chat')

    expect(code).to.equal(4)
    expect(stdout + stderr).to.match(/✖ training talks/).and.not.match(/✔ training talks/)
    expect((await run('status')).stdout).to.match(/talks +failed, ERR_TRAINING_INPUT/)
    expect((await ask<Status>('status')).trainings.map(({ state }) => state)).to.have.members(['done', 'failed'])

    const answer = await ask<AnswerView>('ask', 'notes', 'On the first day', '--max-tokens', '8')

    expect(answer.outputTokens).to.be.within(1, 8)
    expect(answer.shares.map(share => share.contribution)).to.deep.equal([contribution])
  })

  it('answers with rows of the text, in JSON that keeps to a schema', async () => {
    const schema = join(dataDir, 'schema.json')

    await writeFile(schema, JSON.stringify({ type: 'object', properties: { first: { type: 'boolean' } }, required: ['first'] }))

    const { answer, sources = [] } = await ask<AnswerView>('ask', 'notes', 'On the first day', '--max-tokens', '24', '--rows-of', 'notes', '--rows', '2', '--json-schema', schema)

    expect(JSON.parse(answer)).to.have.all.keys('first')
    expect(sources.map(source => source.contribution)).to.include(contribution)
    expect(sources[0].text.toLowerCase()).to.include('day')
    expect((await run('ask', 'notes', 'On the first day', '--max-tokens', '4', '--rows-of', 'notes', '--rows', '1')).stdout).to.include('Notes of May, row ')
  })

  it('watches and cancels trainings that go on by themselves', async () => {
    const training = async (...args: string[]): Promise<Ended> => datanet('--data-dir', dataDir, '--json', 'training', ...args)
    // minutes of work, of which nobody waits for the end
    const begin = async (): Promise<TrainingView> => ask<TrainingView>('train', 'notes', '--name', 'long', '--steps', '200', '--detach')
    const [first, second] = [await begin(), await begin()]
    const ambiguous = await training('cancel', 'long')

    expect(ambiguous.code, ambiguous.all).to.equal(2)
    expect(ambiguous.stdout).to.include('2 trainings have the name')
    expect(await ask<TrainingView>('training', 'cancel', second.id)).to.include({ id: second.id, state: 'cancelled' })
    expect((await run('status')).stdout).to.include(`training cancel ${first.id}`)

    // the name is now that of the only one left
    const left = await datanetInterrupted('--data-dir', dataDir, 'training', 'show', 'long', '--watch')

    expect(left.code, left.all).to.equal(130)
    expect(left.all).to.include('the training goes on').and.not.include('✖')
    expect((await run('training', 'show', 'long')).stdout).to.include(`training cancel ${first.id}`)

    const [watched, cancelled] = await Promise.all([training('show', first.id, '--watch'), training('cancel', 'long')])

    expect(cancelled.code, cancelled.all).to.equal(0)
    expect(watched.code, watched.all).to.equal(4)
    expect(watched.stdout).to.include('the training was cancelled')
    expect(await ask<TrainingView>('training', 'show', 'notes', '--watch')).to.include({ state: 'done' })
    expect((await run('training', 'list')).stdout).to.match(new RegExp(`long +cancelled .*${first.id}`)).and.match(/talks +failed, ERR_TRAINING_INPUT/)

    for (const [which, code, message] of [[first.id, 1, 'is cancelled'], ['notes', 1, 'is done'], ['nothing', 2, 'no training']] as const) {
      const refused = await training('cancel', which)

      expect(refused.code, refused.all).to.equal(code)
      expect(refused.stdout).to.include(message)
    }
  })

  it('settles the answer and proves why the contribution was paid', async () => {
    await node?.line(/task .*: settled/)
    // payouts are claimed in the blocks after
    await run('light', 'follow', '--blocks', '3')

    const own = await ask<WhyView>('why', contribution)

    task = own.task
    // a later question's task may be under way
    expect((await ask<Status>('status')).tasks.find(other => other.task === task)?.phase).to.equal('settled')

    const light = await ask<WhyView>('light', 'why', contribution, '--task', task)

    for (const view of [own, light]) {
      expect(view).to.include({ contribution, task })
      expect(Number(view.amount)).to.be.above(0)
      expect(view.steps.filter(({ verified }) => !verified)).to.be.empty()
    }
  })

  it('refuses what the ledger refuses with exit code 4', async () => {
    const ended = await datanet('--data-dir', dataDir, 'wallet', 'transfer', 'treasury', '99999999')

    expect(ended.code, ended.all).to.equal(4)
    expect(ended.stderr).to.include('ERR_INSUFFICIENT_FUNDS')
    expect(ended.stderr).to.include('(99999999 OPEN)')
  })

  it('pays, wraps, delegates, proposes and votes', async () => {
    await run('wallet', 'new', 'alice')
    await run('wallet', 'transfer', 'alice', '1.5')
    await run('gov', 'wrap', '2000')
    await run('gov', 'delegate', 'main')

    const { proposal } = await ask<{ proposal: number }>('gov', 'propose', '55 % for data', '--set', 'feeSplit.data=5500', '--set', 'feeSplit.validators=1500')

    // voting begins with the block after the next
    await run('light', 'follow', '--blocks', '3')
    await run('gov', 'vote', proposal.toString(), 'for')

    const [voted] = await ask<ProposalView[]>('gov')

    expect(voted).to.include({ proposal, title: '55 % for data', for: (2000n * 10n ** 18n).toString(), against: '0' })
  })

  it('proves a balance to a light client that finds the node by its data directory', async () => {
    const alice = (await ask<Account[]>('wallet')).find(({ name }) => name === 'alice')

    expect(await ask('light', 'account', alice?.account ?? '')).to.include({ balance: (15n * 10n ** 17n).toString() })
  })

  it('ends by Ctrl-C with exit code 0 and goes on where it was', async () => {
    const { status } = await ask<Status>('status')

    expect(await node?.interrupt()).to.equal(0)
    expect(existsSync(join(dataDir, 'api.json'))).to.be.false()
    node = await startNode(dataDir)

    const again = await ask<Status>('status')

    expect(again.status.height).to.be.at.least(status.height)
    expect(again.tasks.map(view => view.task)).to.include(task)
  })
})
