/**
 * The page in headless Chromium against a node of canned views. What a test finds things by:
 *
 * - `navigation "Rooms"` with the buttons Data, Fine-tune, Ask, Agree and settle, Why, Govern, each followed by its news
 * - `region "Network"` (block, epoch, peers, signers) and `combobox "Acting account"` in the header
 * - Data: `table "Contributions"`, buttons New Datanet and Contribute (dialogs with forms)
 * - Fine-tune: `form "New training"` with button Train; `region "Training <name>"` with `list "Phases"`, `img "Loss curve…"`, Cancel, and when done `Ask <name> something`
 * - Ask: `form "Question"` with button Ask; `region "Answer"` with tokens (`[data-token]`, `data-contribution`), `list "Contributions that shaped the answer"`, `list "Citations, the rarest first"`, `[data-testid=fee]`
 * - Agree and settle: `list "Tasks"`, `region "Task"` with `table "Committee"`, `[data-testid=score-root]`, `region "OPEN flow"`, `table "Payouts"`
 * - Why: `list "Payouts"`, `region "Reasons"` with `list "Verified reasons"`
 * - Govern: `article "Proposal <n>"` (Vote for, Vote against, Abstain, Queue, Execute), `form "Wrap"`, `form "Delegate"`, `form "Propose"`, `list "Fee split in force"`
 * - refusals are alerts with the node's message, hint and code
 */
import assert from 'node:assert/strict'
import { axeSource, buildPage, chromiumPath, launch, root } from './browser.ts'
import * as canned from './fixture-data.ts'
import { fixture } from './fixture-server.ts'
import type { Fixture } from './fixture-server.ts'
import type { TrainingRequest, TrainingView } from '../../src/interface/index.ts'
import type { Browser, Locator, Page } from 'playwright-core'

/** A line for people who read the run. */
const say = (line: string): void => { process.stdout.write(`${line}\n`) }

const executable = chromiumPath()
const rooms = ['Data', 'Fine-tune', 'Ask', 'Agree and settle', 'Why', 'Govern']

const training = (state: TrainingView['state'], step: number, change: Partial<TrainingView> = {}): TrainingView =>
  ({ id: 'training-1', name: 'state-of-the-union', state, step, steps: 16, losses: canned.losses.slice(0, step), progress: step / 16, secondsLeft: 16 - step, ...change })

describe('page', function () {
  this.timeout(60_000)

  let browser: Browser
  let node: Fixture
  let page: Page
  let complaints: string[]
  /** refusals that a test provokes; browsers log them */
  let expected: RegExp | undefined

  const room = async (name: string): Promise<void> => { await page.getByRole('navigation', { name: 'Rooms' }).getByRole('button', { name: new RegExp(`^${name}`) }).click() }
  const region = (name: string | RegExp): Locator => page.getByRole('region', { name })
  const says = async (locator: Locator, text: string | RegExp): Promise<void> => { await locator.filter({ hasText: text }).first().waitFor({ timeout: 8_000 }) }
  const posted = async (path: string, count = 1): Promise<unknown> => {
    // the page may still be sending
    for (let look = 0; look < 400 && node.posts.filter(post => post.path === path).length < count; look++) {
      await page.evaluate(async () => new Promise(resolve => { requestAnimationFrame(resolve) }))
    }

    return node.posts.filter(post => post.path === path)[count - 1]?.body
  }

  before(function () {
    if (executable == null) {
      say('skipped: no Chromium at $CHROMIUM_PATH, /usr/bin/chromium or /usr/bin/chromium-browser')
      this.skip()
    }

    buildPage()
  })

  before(async () => { browser = await launch(executable ?? '') })
  after(async () => { await browser?.close() })

  beforeEach(async () => {
    node = await fixture(root)
    complaints = []
    expected = undefined

    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' })

    page = await context.newPage()
    page.on('console', message => {
      if ((message.type() === 'error' || message.type() === 'warning') && expected?.test(message.text()) !== true) {
        complaints.push(message.text())
      }
    })
    page.on('pageerror', error => { complaints.push(error.message) })
    page.on('request', request => {
      if (!request.url().startsWith(new URL(node.url).origin) && !request.url().startsWith('data:')) {
        complaints.push(`asks another host: ${request.url()}`)
      }
    })
  })

  afterEach(async () => {
    await page.context().close()
    await node.stop()
    assert.deepEqual(complaints, [])
  })

  it('shows the network live, and takes the token out of the address', async () => {
    await page.goto(node.url)
    await says(region('Network'), 'Block 127')
    assert.equal(page.url().includes('token'), false)

    node.tell({ type: 'block', height: 128, hash: 'ab', proposer: canned.validators[0], transactions: 1, view: 130, signers: 3, validators: 4 })
    await says(region('Network'), 'Block 128')
    await says(region('Network'), '3/4 signed')
    await says(region('Network'), 'cutoff in 22')

    // the tab keeps the token
    await page.reload()
    await says(region('Network'), 'Block 128')
  })

  it('asks for the token if there is none, or a wrong one', async () => {
    expected = /401/
    await page.goto(new URL('/', node.url).href)
    await page.getByRole('textbox', { name: 'Token' }).fill('wrong')
    await page.getByRole('button', { name: 'Connect' }).click()
    await says(page.getByRole('alert'), 'does not accept')
    await page.getByRole('textbox', { name: 'Token' }).fill('fixture-token')
    await page.getByRole('button', { name: 'Connect' }).click()
    await says(region('Network'), 'Block 127')
  })

  it('says that it lost the node, and goes on by itself', async () => {
    await page.goto(node.url)
    await says(region('Network'), 'Block 127')
    node.hangUp()
    await says(region('Network'), 'Reconnecting')
    node.state.status.height = 140
    await says(region('Network'), 'Block 140')
  })

  it('shows contributions and who attested them, and contributes a file', async () => {
    await page.goto(node.url)
    const row = page.getByRole('table', { name: 'Contributions' }).getByRole('row', { name: /Abraham Lincoln 1862/ })

    await row.getByRole('img', { name: '4 of 4 validators admit it' }).waitFor()
    await page.getByRole('button', { name: 'Contribute', exact: true }).click()
    const dialog = page.getByRole('dialog')

    await dialog.locator('input[type=file]').setInputFiles({ name: 'inaugural_address.txt', mimeType: 'text/plain', buffer: Buffer.from('Ask not what your country can do for you.') })
    await says(dialog.getByLabel('Beginning of the file'), 'Ask not')
    assert.equal(await dialog.getByRole('textbox', { name: 'Title' }).inputValue(), 'Inaugural address')
    await dialog.getByRole('textbox', { name: /fields that the file lacks/ }).fill('year = 1961')
    await dialog.getByRole('button', { name: /^Contribute as/ }).click()
    await dialog.waitFor({ state: 'detached' })
    assert.equal(String(await posted('contributions')), 'Ask not what your country can do for you.')
  })

  it('creates a Datanet', async () => {
    node.state.datanets = []
    await page.goto(node.url)
    await page.getByRole('button', { name: 'Create the first Datanet' }).click()
    const dialog = page.getByRole('dialog')

    await dialog.getByRole('textbox', { name: 'Title' }).fill('Ships’ logs, 1850–60')
    await dialog.getByRole('button', { name: /^Create as/ }).click()
    const body = await posted('datanets') as { name: string, as: string }

    assert.equal(body.name, 'ships-logs-1850-60')
    assert.equal(body.as, 'customer', 'the node’s own account is empty, so the richest acts')
  })

  it('fine-tunes: the loss curve grows, the phases pass, the adapter can be asked', async () => {
    await page.goto(node.url)
    await room('Fine-tune')
    await page.getByRole('combobox', { name: 'Acting account' }).selectOption('developer')
    await page.getByRole('button', { name: 'Train', exact: true }).click()
    assert.deepEqual(await posted('trainings'), { as: 'developer', name: 'state-of-the-union', base: canned.base.base, datanets: [canned.datanet.datanet], preset: 'quick' })

    const run = region(/^Training /)

    node.tell({ type: 'training', training: training('training', 7) })
    await says(run, '7 of 16')
    await says(run, 'about 9 s')
    await run.getByRole('img', { name: /^Loss curve: from 4\.\d+ to 3\.\d+ nats per token in 7 steps/ }).waitFor()
    assert.ok(await run.locator('canvas').count() > 0)

    node.tell({ type: 'training', training: training('influence', 16, { progress: 0.5 }) })
    await says(run.locator('[aria-current=step]'), 'Influence')

    node.state.adapters = [canned.adapter]
    node.tell({ type: 'training', training: training('done', 16, { adapter: canned.adapter.adapter }) })
    await run.getByRole('button', { name: /^Ask / }).click()
    await page.getByRole('form', { name: 'Question' }).waitFor()
  })

  it('keeps what an event said when an older answer of the node comes after it', async () => {
    await page.goto(node.url)
    await room('Fine-tune')
    await says(page.getByRole('main'), 'No training yet')

    const run = region(/^Training /)
    let reads = 0
    const readAgain = new Promise<void>(resolve => {
      void page.route('**/api/v1/trainings', async route => {
        const response = await route.fetch()

        if (++reads === 1) {
          // the answer without the training is on its way
          node.tell({ type: 'training', training: training('training', 7) })
          await says(run, '7 of 16')
        }

        await route.fulfill({ response })

        if (reads === 2) {
          resolve()
        }
      })
    })

    // whoever connects anew reads everything
    node.hangUp()
    await readAgain
    await says(run, '7 of 16')
  })

  it('says what other methods of attribution mean and cost, and trains by the one that is chosen', async () => {
    await page.goto(node.url)
    await room('Fine-tune')

    const form = page.getByRole('form', { name: 'New training' })

    assert.equal(await form.getByRole('radio', { name: 'ekfac' }).count(), 0)
    await form.getByRole('button', { name: 'Other methods' }).click()
    await says(form, /ekfac.*Kronecker factors.*About 12 s and up to 31\.0 MB/)
    assert.deepEqual(await posted('trainings/estimate'), { name: 'state-of-the-union', base: canned.base.base, datanets: [canned.datanet.datanet], preset: 'quick' })
    assert.equal(await form.getByRole('radio', { name: 'trajectory' }).isChecked(), true)

    await form.getByRole('radio', { name: 'ekfac' }).check()
    await says(form, 'By ekfac, an estimate')
    // what it costs depends on the rest of the form
    await form.getByRole('radio', { name: 'Careful' }).check()
    assert.equal((await posted('trainings/estimate', 2) as TrainingRequest).preset, 'careful')
    await form.getByRole('button', { name: 'Train', exact: true }).click()
    assert.deepEqual(await posted('trainings'), { as: 'customer', name: 'state-of-the-union', base: canned.base.base, datanets: [canned.datanet.datanet], preset: 'careful', method: 'ekfac' })
  })

  it('colours an answer by contribution and lights up both ways', async () => {
    node.state.adapters = [canned.adapter]
    await page.goto(node.url)
    await room('Ask')
    await page.getByRole('textbox', { name: /Begin a text/ }).fill('The state of the Union is')
    await says(page.getByRole('form', { name: 'Question' }), /at most about 0\.00\d+ OPEN/)
    await page.getByRole('slider', { name: 'Length' }).press('ArrowRight')
    await page.getByRole('form', { name: 'Question' }).getByRole('button', { name: 'Ask', exact: true }).click()

    const answer = region('Answer')
    const tokens = answer.locator('[data-token]')

    await says(answer, 'exact, by trajectory')
    assert.equal(await tokens.count(), 36)
    assert.deepEqual(await posted('ask'), { as: 'customer', adapter: canned.adapter.adapter, prompt: 'The state of the Union is', maxTokens: 40, temperature: 0, seed: 0 })
    assert.equal(await answer.getByTestId('fee').textContent(), '0.002')
    await answer.getByRole('button', { name: /copy the receipt/ }).waitFor()

    const citations = answer.getByRole('list', { name: /^Citations/ }).getByRole('listitem')

    assert.equal(await citations.count(), 2)
    assert.equal(await citations.first().locator('mark').textContent(), ' enabled to extend their commerce')
    await says(citations.first(), /row 7.*It has enabled to extend their commerce at home and abroad/)
    await says(citations.last(), 'one of 12 places')

    const lincoln = canned.cid('lincoln')
    const share = answer.locator(`.share[data-contribution="${lincoln}"]`)

    await tokens.nth(0).hover()
    await says(page.getByRole('tooltip'), /Abraham Lincoln 1862.*influence \+0\.001/)
    assert.match(await share.getAttribute('class') ?? '', /lit/)

    await share.focus()
    const lit = await answer.locator('.token.lit').evaluateAll(list => list.map(token => token.getAttribute('data-contribution')))

    assert.ok(lit.length > 3)
    assert.ok(lit.every(contribution => contribution === lincoln))

    // by keyboard
    await tokens.nth(0).focus()
    await page.keyboard.press('ArrowRight')
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('data-token')), '1')

    const colours = await tokens.evaluateAll(list => list.map(token => [token.getAttribute('data-contribution'), token.getAttribute('style')?.match(/--c: ?([^;]+)/)?.[1]]))
    const byContribution = new Map(colours.map(([contribution, colour]) => [contribution, colour]))

    assert.ok(colours.every(([contribution, colour]) => byContribution.get(contribution) === colour), 'one colour per contribution')
    assert.equal(new Set(byContribution.values()).size, byContribution.size, 'different contributions differ')
  })

  it('colours an answer of merged adapters likewise, and says which adapter raised a word', async () => {
    node.state.adapters = [canned.adapter]
    node.state.answers = [canned.mergedAnswer('The state of the Union is')]
    await page.goto(node.url)
    await room('Ask')

    const answer = region('Answer')
    const tokens = answer.locator('[data-token]')

    await says(answer.getByRole('list', { name: 'Adapters that shaped the answer' }), /0\.7 × speeches: 60 %.*0\.3 × sailor: 40 %/)
    await says(answer, 'by the measured effect of each adapter')
    assert.equal(await tokens.nth(0).getAttribute('data-contribution'), canned.cid('lincoln'))
    await tokens.nth(0).hover()
    await says(page.getByRole('tooltip'), /Abraham Lincoln 1862.*through speeches more than another adapter/)
    // raised by the adapter whose data nobody knows, and by none
    await tokens.nth(3).hover()
    await says(page.getByRole('tooltip'), 'Made likelier by sailor, by no contribution that is known')
    await tokens.nth(17).hover()
    await says(page.getByRole('tooltip'), 'No contribution made this token likelier')
  })

  it('says when scores come, by an estimate, at the end of the epoch or never', async () => {
    const view = canned.answer('The state of the Union is')
    const untraced = { ...view, precision: 'preview' as const, shares: [], spans: undefined, tokens: view.tokens.map(token => ({ ...token, share: null })) }

    node.state.adapters = [canned.adapter]

    for (const [answer, words] of [[{ ...view, method: 'ekfac' }, 'an estimate, by ekfac'], [untraced, /Pending: .*at the end of the epoch.*pending until the epoch’s end/], [{ ...untraced, method: 'none' }, /traced to no contribution.*its data are not known/]] as const) {
      node.state.answers = [answer]
      await page.goto(node.url)
      await page.reload()
      await room('Ask')
      await says(region('Answer'), words)
    }
  })

  it('shows what the node refuses, and what to do about it', async () => {
    expected = /402/
    node.state.adapters = [canned.adapter]
    await page.goto(node.url)
    await room('Ask')
    await page.getByRole('textbox', { name: /Begin a text/ }).fill('unpaid')
    await page.getByRole('form', { name: 'Question' }).getByRole('button', { name: 'Ask', exact: true }).click()
    await says(page.getByRole('alert'), /expected a voucher.*let another account ask.*ERR_PAYMENT_REQUIRED/)
  })

  it('follows a committee from draw to payout', async () => {
    node.state.adapters = [canned.adapter]
    node.state.status.roles = ['assessor']
    await page.goto(node.url)
    await room('Agree and settle')
    await says(page.getByRole('main'), 'No task yet')
    await page.getByRole('button', { name: 'Stake 100 OPEN' }).click()
    assert.deepEqual(await posted('wallet/stake'), { as: 'studio', amount: canned.amount(100_000) })

    node.tell({ type: 'task', task: canned.task('commit', 'drawn') })
    node.tell({ type: 'recompute', task: canned.task('commit', 'drawn').task, progress: 0.46 })
    await says(region('Task'), '46 %')

    const dissent = canned.task('verdict', 'revealed')

    dissent.seats[3] = { ...dissent.seats[3], state: 'slashed', fault: 'wrong-score', scoreRoot: 'ff'.repeat(32) }
    node.tell({ type: 'task', task: dissent })
    await says(page.getByRole('table', { name: 'Committee' }), 'slashed: it revealed a wrong score')

    node.tell({ type: 'payment', from: canned.account('task'), to: canned.account('treasury'), amount: canned.amount(1), reason: 'platform', task: dissent.task })
    node.tell({ type: 'task', task: canned.task('settled', 'opened', { payouts: canned.payouts }) })
    await says(page.getByTestId('score-root'), '7e3a91c4')
    await says(region('OPEN flow'), /as it was paid.*Platform25 %0\.001 OPEN/)
    await says(region('OPEN flow').getByRole('list', { name: /by contribution/ }), 'Abraham Lincoln 1862')
    assert.equal(await page.getByRole('table', { name: 'Payouts' }).getByRole('row').count(), canned.payouts.length + 1)

    // payments are told once: a reload keeps them
    await page.reload()
    await says(region('OPEN flow'), 'Platform25 %')

    // nothing was scored, so nobody can claim anything
    node.state.tasks = [canned.task('settled', 'opened', { task: 'a1'.repeat(32), dataPool: '0' })]
    await page.reload()
    await says(region('OPEN flow'), 'the data’s part goes to the treasury')
    await says(region('OPEN flow'), 'Platform60 %')
  })

  it('explains a payout, link by link', async () => {
    node.state.tasks = [canned.task('settled', 'opened', { payouts: canned.payouts })]
    await page.goto(node.url)
    await room('Why')
    await page.getByRole('list', { name: 'Payouts' }).getByRole('button', { name: /Abraham Lincoln/ }).click()
    await says(region('Reasons'), 'All 9 reasons are verified.')
    assert.equal(await region('Reasons').getByRole('list', { name: 'Verified reasons' }).getByRole('img', { name: 'verified', exact: true }).count(), 9)
  })

  it('wraps, delegates, proposes, votes, queues and executes', async () => {
    await page.goto(node.url)
    await room('Govern')
    await page.getByRole('combobox', { name: 'Acting account' }).selectOption('developer')
    await page.getByRole('textbox', { name: 'Amount' }).fill('20000')
    await page.getByRole('button', { name: 'Wrap', exact: true }).click()
    assert.deepEqual(await posted('gov/wrap'), { as: 'developer', amount: canned.amount(20_000_000) })
    await page.getByRole('button', { name: 'Delegate' }).click()
    assert.deepEqual(await posted('gov/delegate'), { as: 'developer', to: canned.account('developer') })

    node.state.wallet[2].votes = canned.amount(20_000_000)
    node.tell({ type: 'proposal', proposal: 0, status: 'pending', title: '' })
    await page.getByRole('form', { name: 'Propose' }).getByRole('button', { name: 'Propose' }).click()
    assert.deepEqual(await posted('gov/propose'), {
      as: 'developer', title: 'Pay data 55 % of each fee instead of 50 %', params: { feeSplit: { platform: 1_000, developers: 2_000, validators: 1_500, data: 5_500 } }
    })

    const proposal = page.getByRole('article', { name: 'Proposal 0' })

    const becomes = (status: string): void => {
      node.state.proposals = [canned.proposal(status, 20_000)]
      node.tell({ type: 'proposal', proposal: 0, status, title: '' })
    }

    becomes('active')
    await proposal.getByRole('button', { name: 'Vote for' }).click()
    assert.deepEqual(await posted('gov/vote'), { as: 'developer', proposal: 0, support: 'for' })

    becomes('succeeded')
    await proposal.getByRole('button', { name: 'Queue' }).click()
    assert.deepEqual(await posted('gov/queue'), { as: 'developer', proposal: 0 })

    becomes('queued')
    await says(proposal, 'possible in 2 blocks')
    assert.equal(await proposal.getByRole('button', { name: 'Execute' }).isDisabled(), true)
    node.tell({ type: 'block', height: 129, hash: 'ab', proposer: canned.validators[0], transactions: 1, view: 133, signers: 4, validators: 4 })
    await proposal.getByRole('button', { name: 'Execute' }).click()
    assert.deepEqual(await posted('gov/execute'), { as: 'developer', proposal: 0 })

    node.tell({ type: 'params', params: { ...canned.status.params, feeSplit: { platform: 1_000, developers: 2_000, validators: 1_500, data: 5_500 } } })
    await says(page.getByRole('list', { name: 'Fee split in force' }), 'Data55 %')
  })

  const fits = (scheme: 'light' | 'dark') => async (): Promise<void> => {
    const axe = axeSource()

    node.state.adapters = [canned.adapter]
    node.state.trainings = [training('done', 16)]
    node.state.answers = [canned.answer('The state of the Union is')]
    node.state.tasks = [canned.task('settled', 'opened', { payouts: canned.payouts })]
    node.state.proposals = [canned.proposal('active', 20_000)]
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width: 390, height: 844 })
    await page.goto(node.url)
    await says(region('Network'), 'Block 127')

    for (const name of rooms) {
      await room(name)
      await page.getByRole('main', { name }).getByRole('heading', { level: 2 }).waitFor()

      if (name === 'Fine-tune') {
        await page.getByRole('button', { name: 'Other methods' }).click()
        await page.getByRole('radio', { name: 'graddot' }).waitFor()
      }

      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `${name} is wider than the screen`)

      if (axe != null) {
        await page.evaluate(axe)
        assert.deepEqual(await page.evaluate<string[]>('axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html.slice(0, 120)).join(" | ")))'), [], name)
      }
    }

    if (axe == null) {
      say('skipped: the rules of axe, axe-core is not installed')
    }
  }

  it('fits a telephone and follows the rules of axe, in light colours', fits('light'))
  it('fits a telephone and follows the rules of axe, in dark colours', fits('dark'))
})
