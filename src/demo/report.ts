import Table from 'cli-table3'
import { accountToString } from '../identity/index.ts'
import { colours as pc } from './colours.ts'
import { SPEECHES } from './constants.ts'
import { demoAccount } from './setup.ts'
import type { DemoState } from './journal.ts'
import type { AccountView, AdapterView, AnswerView, ContributionView, TaskView, WhyView } from '../interface/index.ts'

/** All that the closing table needs, as the nodes tell it. */
export interface Results {
  state: DemoState
  adapter: AdapterView
  contributions: ContributionView[]
  baseLab: AccountView
  tasks: TaskView[]
  why: WhyView
  page: string
  dataDir: string
}

/** The object of --json: equal in every clean run. `seconds` and `page` alone differ. */
export interface DemoResult {
  adapter: string
  scoreRoot: string
  scoreRoots: string[]
  payouts: Record<string, string>
  answers: Array<{ prompt: string, answer: string, receipt: string, fee: string }>
  why: { contribution: string, amount: string, verified: boolean }
  seconds: Record<string, number>
  page: string
}

export function resultOf (results: Results): DemoResult {
  const { state, adapter, contributions, baseLab, tasks, why, page } = results
  const payouts = [
    ...contributions.map(({ contributor, earned }) => [contributor, earned] as const),
    [adapter.developer, adapter.earned] as const,
    [baseLab.account, baseLab.balance] as const
  ]

  return {
    adapter: adapter.adapter,
    scoreRoot: tasks[0].scoreRoot ?? '',
    scoreRoots: tasks.map(({ scoreRoot }) => scoreRoot ?? ''),
    payouts: Object.fromEntries(payouts.toSorted(([a], [b]) => a < b ? -1 : 1)),
    answers: Object.values(state.answers).map(({ prompt, answer, receipt, fee }) => ({ prompt, answer, receipt, fee })),
    why: { contribution: why.contribution, amount: why.amount, verified: why.steps.every(({ verified }) => verified) },
    seconds: state.seconds,
    page
  }
}

/** The closing tables, for people. */
export function report (results: Results, write: (line: string) => void): void {
  const { state, why, page, dataDir } = results

  write('')
  Object.values(state.answers).forEach(answer => { answerLines(answer).forEach(write) })
  write(pc.bold('Who was paid'))
  write(payoutTable(results))
  write('')
  write(pc.bold(`Why was ${why.title} paid ${open(why.amount)} OPEN?`) + pc.dim('  (checked by the light client)'))
  why.steps.forEach(({ title, detail, verified }) => { write(`  ${verified ? pc.green('✓') : pc.red('✗')} ${title}: ${detail}`) })
  write('')
  write(pc.bold('How long it took'))
  write(secondsTable(state.seconds))
  write('')
  write(pc.bold('Where to look next'))
  write(`  the page of the studio's node   ${page}`)
  write(`  its data directory              ${dataDir}/studio`)
  write(`  the same by hand                npx datanet --data-dir ${dataDir}/studio status`)
  write('  what each part is               README.md, ARCHITECTURE.md, protocols/')
}

function answerLines ({ prompt, answer, fee, shares }: AnswerView): string[] {
  const top = shares.toSorted((a, b) => b.share - a.share).slice(0, 3).map(({ title, share }) => `${title} ${(share * 100).toFixed(0)} %`)

  return [
    `${pc.dim('»')} ${pc.bold(prompt)}${answer.replace(/\s+/g, ' ')}`,
    pc.dim(`  paid ${open(fee)} OPEN, shaped by ${top.join(', ')}`),
    ''
  ]
}

function payoutTable ({ contributions, adapter, baseLab, tasks, state }: Results): string {
  const names = new Map(SPEECHES.map(({ president }) => [state.contributions[president], president]))
  const rows = contributions
    .toSorted((a, b) => Number(BigInt(b.earned) - BigInt(a.earned)))
    .map(({ title, contribution, earned }) => [
      title,
      `contributor ${names.get(contribution) ?? ''}`,
      ...tasks.map(task => open(task.payouts.find(payout => payout.contribution === contribution)?.amount ?? '0')),
      open(earned)
    ])

  return table(
    ['who', 'as', ...tasks.map(({ epoch }) => `epoch ${epoch}`), 'OPEN in all'],
    [
      ...rows,
      ['developer', 'adapter', ...tasks.map(() => ''), open(adapter.earned)],
      ['base-lab', 'base model', ...tasks.map(() => ''), open(baseLab.balance)]
    ]
  )
}

function secondsTable (seconds: Record<string, number>): string {
  const total = Object.values(seconds).reduce((sum, one) => sum + one, 0)

  return table(['step', 'seconds'], [...Object.entries(seconds), ['all', total] as const].map(([step, value]) => [step, value.toFixed(1)]))
}

function table (head: string[], rows: string[][]): string {
  const made = new Table({
    head,
    style: { head: [], border: [], compact: true, 'padding-left': 2 },
    colAligns: head.map((_, i) => i > 1 || i === head.length - 1 ? 'right' : 'left'),
    chars: Object.fromEntries(['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'].map(name => [name, '']))
  })

  made.push(...rows)

  return made.toString()
}

/** Base units as OPEN with six places. */
function open (amount: string): string {
  const micro = BigInt(amount) / 10n ** 12n

  return `${(micro / 1_000_000n).toString()}.${(micro % 1_000_000n).toString().padStart(6, '0')}`
}

/** Account of a name of the demo, as text. */
export const accountOf = (name: string): string => accountToString(demoAccount(name))
