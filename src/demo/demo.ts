import { mkdir, rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { Listr } from 'listr2'
import { NodeUnreachableError, RequestFailedError } from '../api/index.ts'
import { STEP_ATTEMPTS_MAX, STEP_RETRY_MS } from './constants.ts'
import { openJournal } from './journal.ts'
import { accountOf, report, resultOf } from './report.ts'
import { prepare } from './setup.ts'
import { execute, vote } from './steps-vote.ts'
import * as steps from './steps.ts'
import { swarm } from './swarm.ts'
import type { Journal } from './journal.ts'
import type { Results } from './report.ts'
import type { StepContext } from './step-context.ts'
import type { Swarm } from './swarm.ts'
import type { AccountView, AdapterView, ContributionView, TaskView, WhyView } from '../interface/index.ts'

export interface DemoOptions {
  dataDir: string
  json: boolean
  /** end when the job is done */
  once?: boolean
  /** forget an earlier run */
  fresh?: boolean
  /** of the page; 0 for any */
  apiPort?: number
  signal: AbortSignal
}

/** A network of processes on this machine, and the main job on it from data to payouts. */
export async function runDemo (options: DemoOptions): Promise<void> {
  const { dataDir, json, signal } = options
  const say = (line: string): void => { (json ? process.stderr : process.stdout).write(`${line}\n`) }

  if (options.fresh === true) {
    await rm(dataDir, { recursive: true, force: true })
  }

  await mkdir(dataDir, { recursive: true })
  await prepare(dataDir, options.apiPort ?? (options.once === true ? 0 : 4170))

  const journal = await openJournal(dataDir)
  const processes = swarm(dataDir, ({ name, pid }) => { say(`${name} ended and runs again as process ${pid}`) })

  try {
    await tasksOf(processes, journal, options).run()

    const results = await gather(processes, journal, options)

    report(results, say)

    if (json) {
      process.stdout.write(`${JSON.stringify(resultOf(results))}\n`)
    }

    if (options.once !== true) {
      say('\nThe swarm goes on; open the page, or end it with Ctrl-C.')
      await new Promise<void>(resolve => {
        signal.addEventListener('abort', () => { resolve() }, { once: true })
      })
    }
  } finally {
    say('stopping the swarm …')
    await processes.stop()
    say(`stopped; ${dataDir} keeps everything, the next start goes on from there`)
  }
}

function tasksOf (processes: Swarm, journal: Journal, { signal, json }: DemoOptions): Listr {
  /** A step as a task of the renderer: its last word is shown below its title, its time is kept. */
  const step = (title: string, name: string, work: (context: StepContext) => Promise<unknown>): Parameters<Listr['add']>[0] => ({
    title,
    task: async (_context: unknown, task: { output: string }) => {
      const started = performance.now()
      let last = ''

      const tell = (text: string): void => {
        // a log of lines has no use for the same line again
        if (text !== last) {
          last = text
          task.output = text
        }
      }

      await persistently({ swarm: processes, journal, signal, tell }, work)
      await journal.save({ seconds: { ...journal.state.seconds, [name]: (journal.state.seconds[name] ?? 0) + (performance.now() - started) / 1000 } })
    },
    rendererOptions: { timer: { condition: true, field: (ms: number) => `${(ms / 1000).toFixed(1)} s`, format: () => (text?: string) => text ?? '' } }
  })

  let voting: Promise<void> = Promise.resolve()
  const quiet = process.stdout.isTTY !== true

  return new Listr([
    step('Start 4 validators, a gateway, 2 contributors, a studio and a light client', 'start', async context => {
      await processes.start({ signal, onReady: ({ name, pid }) => { context.tell(`${name} is process ${pid}`) } })
      await steps.connected(context)
    }),
    step('Stake assessors', 'stake', steps.stake),
    step('Create a Datanet and contribute eight speeches', 'contribute', steps.contribute),
    step('Validators fetch, check and attest', 'validate', steps.validated),
    step('Fine-tune an adapter, bit for bit, and publish it', 'train', async context => {
      // the vote runs beside the training; a failure shows where it is awaited
      voting = persistently({ ...context, tell: () => {} }, vote)
      voting.catch(() => {})
      await steps.train(context)
    }),
    step('Wrap, delegate, propose, vote, queue: 55 % of fees for data', 'vote', async () => { await voting }),
    step('Ask and pay', 'ask', async context => { await steps.ask(context, 'first') }),
    step('Cut off the epoch and draw a committee', 'draw', async context => { await steps.drawn(context, 'first') }),
    step('Execute the vote', 'execute', execute),
    // the committee is at work meanwhile
    step('Ask again, under the new split', 'ask again', async context => { await steps.ask(context, 'later') }),
    step('Recompute, commit, reveal, open, settle', 'settle', async context => { await steps.settled(context, 'first') }),
    step('Settle at 55 %', 'settle again', async context => {
      await steps.drawn(context, 'later')
      await steps.settled(context, 'later')
    })
  ] as never, {
    concurrent: false,
    // Ctrl-C is ours: the swarm is stopped in order, and what was acknowledged is on disk
    registerSignalListeners: false,
    renderer: json || quiet ? 'simple' : 'default',
    rendererOptions: { collapseSubtasks: false },
    ...(json ? { silentRendererCondition: false } : {})
  } as never)
}

/** Does a step again when a process that it talked to was gone: every step looks first what is done already. */
async function persistently (context: StepContext, work: (context: StepContext) => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await work(context)
      return
    } catch (err) {
      if (!isPassing(err) || attempt >= STEP_ATTEMPTS_MAX) {
        throw err
      }

      context.tell(`${(err as Error).message}; trying again`)
      await delay(STEP_RETRY_MS, undefined, { signal: context.signal })
    }
  }
}

/** A node, or a peer that it needed, was gone or did not answer: that passes. */
function isPassing (err: unknown): boolean {
  return err instanceof NodeUnreachableError || (err instanceof RequestFailedError && [429, 502, 503, 504].includes(err.status))
}

async function gather (processes: Swarm, journal: Journal, { dataDir, signal }: DemoOptions): Promise<Results> {
  const studio = processes.get('studio')
  const { state } = journal
  const [adapters, contributions, tasks, baseLab] = await Promise.all([
    studio.api.get<AdapterView[]>('/api/v1/adapters', { signal }),
    studio.api.get<ContributionView[]>(`/api/v1/contributions?datanet=${state.datanet ?? ''}`, { signal }),
    studio.api.get<TaskView[]>('/api/v1/tasks', { signal }),
    studio.api.get<AccountView>(`/api/v1/accounts/${accountOf('base-lab')}`, { signal })
  ])
  const adapter = adapters.find(view => view.adapter === state.adapter)
  const ours = tasks.filter(({ task }) => task === state.tasks.first || task === state.tasks.later).toSorted((a, b) => a.epoch - b.epoch)

  if (adapter == null || ours.length === 0) {
    throw new RangeError('the studio does not know the adapter or the tasks of this demo')
  }

  // the best paid contribution asks why
  const best = ours[0].payouts.toSorted((a, b) => Number(BigInt(b.amount) - BigInt(a.amount)))[0]
  const why = await processes.command<WhyView>('light', ['light', ...processes.bootstrap(), 'why', best.contribution ?? '', '--task', ours[0].task], { signal })

  return { state, adapter, contributions, tasks: ours, baseLab, why, page: `${studio.api.url}/#token=${studio.api.token}`, dataDir }
}
