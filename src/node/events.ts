import { TypedEventEmitter } from 'main-event'
import { accountToString } from '../identity/index.ts'
import { readTask, readValidators } from '../ledger/index.ts'
import { headerHash, toHex } from '../wire/index.ts'
import { signersOf } from './signers.ts'
import { taskView } from './task-view.ts'
import { toJson } from './to-json.ts'
import type { AssessorEvent } from '../assessment/index.ts'
import type { Columns, Validator } from '../attestation/index.ts'
import type { Network } from '../gossip/index.ts'
import type { FinalisedBlock, LedgerEvent, NodeEvent, Startable, TrainingView } from '../interface/index.ts'
import type { Chain } from '../settlement/index.ts'

export interface NodeEventMap {
  event: CustomEvent<NodeEvent>
}

/** All that happens on a node, in the words of its API. */
export interface NodeEvents extends Startable, TypedEventEmitter<NodeEventMap> {
  training (view: TrainingView): void
  assessor (event: AssessorEvent): void
  /** tells what a validator could not judge */
  watch (validator: Validator): Validator
  /** tells which columns could not be computed */
  watchColumns (columns: Columns): Columns
  tell (event: NodeEvent): void
}

export function nodeEvents (components: { chain: Chain, network: Network }): NodeEvents {
  return new NodeEventBus(components)
}

class NodeEventBus extends TypedEventEmitter<NodeEventMap> implements NodeEvents {
  private readonly components: { chain: Chain, network: Network }
  private readonly onBlock = ({ detail }: CustomEvent<FinalisedBlock>): void => { this.block(detail) }
  private readonly onConnect = ({ detail }: CustomEvent<{ toString(): string }>): void => { this.tell({ type: 'peer', peerId: detail.toString(), connected: true }) }
  private readonly onDisconnect = ({ detail }: CustomEvent<{ toString(): string }>): void => { this.tell({ type: 'peer', peerId: detail.toString(), connected: false }) }
  private readonly onRefused = ({ detail }: CustomEvent<{ message: string }>): void => { this.tell({ type: 'log', level: 'warn', message: detail.message }) }
  private started = false

  constructor (components: { chain: Chain, network: Network }) {
    super()
    this.components = components
  }

  async start (): Promise<void> {
    if (this.started) {
      return
    }

    this.started = true
    this.components.chain.addEventListener('block', this.onBlock)
    this.components.chain.addEventListener('refused', this.onRefused)
    this.components.network.addEventListener('peer:connect', this.onConnect)
    this.components.network.addEventListener('peer:disconnect', this.onDisconnect)
  }

  async stop (): Promise<void> {
    this.started = false
    this.components.chain.removeEventListener('block', this.onBlock)
    this.components.chain.removeEventListener('refused', this.onRefused)
    this.components.network.removeEventListener('peer:connect', this.onConnect)
    this.components.network.removeEventListener('peer:disconnect', this.onDisconnect)
  }

  tell (event: NodeEvent): void {
    this.dispatchEvent(new CustomEvent('event', { detail: event }))
  }

  readonly training = (view: TrainingView): void => { this.tell({ type: 'training', training: view }) }

  readonly assessor = (event: AssessorEvent): void => {
    const task = toHex(event.task)

    if (event.type === 'assessor:error') {
      this.tell({ type: 'log', level: 'warn', message: `task ${task.slice(0, 8)}: ${withCauses(event.error)}` })
    } else if (event.type === 'assessor:unavailable') {
      this.tell({ type: 'log', level: 'warn', message: `task ${task} cannot be recomputed: ${event.reason}` })
    } else if (event.type === 'assessor:recompute:progress') {
      this.tell({ type: 'recompute', task, progress: event.done / event.total })
    } else if (event.type === 'assessor:recompute:end') {
      this.tell({ type: 'recompute', task, progress: 1 })
      this.tell({ type: 'log', level: 'info', message: `task ${task.slice(0, 8)} recomputed in ${(event.milliseconds / 1000).toFixed(1)} s` })
    }
  }

  readonly watch = (validator: Validator): Validator => {
    validator.addEventListener('postponed', ({ detail }) => {
      this.tell({ type: 'log', level: 'warn', message: `${detail.subject.toString()} could not be judged (attempt ${detail.attempt}): ${withCauses(detail.error)}` })
    })
    validator.addEventListener('skipped', ({ detail }) => {
      this.tell({ type: 'log', level: 'warn', message: `${detail.subject.toString()} is left to other validators: ${detail.error.message}` })
    })

    return validator
  }

  readonly watchColumns = (columns: Columns): Columns => {
    columns.addEventListener('failed', ({ detail }) => {
      this.tell({ type: 'log', level: 'warn', message: `columns of ${detail.adapter.toString()} could not be computed: ${withCauses(detail.error)}` })
    })

    return columns
  }

  private block (finalised: FinalisedBlock): void {
    const { header, transactions } = finalised.block
    const state = this.components.chain.state()

    this.tell({
      type: 'block',
      height: header.height,
      hash: toHex(headerHash(header)),
      proposer: accountToString(header.proposer),
      transactions: transactions.length,
      view: header.view,
      signers: signersOf(finalised.certificate),
      validators: readValidators(state).length
    })

    for (const event of finalised.events) {
      this.ledger(event)
    }
  }

  private ledger (event: LedgerEvent): void {
    // eslint-disable-next-line default-case -- the compiler knows that these are all
    switch (event.type) {
      case 'transfer':
        this.tell({ type: 'payment', from: accountToString(event.from), to: accountToString(event.to), amount: event.amount.toString(), reason: event.reason, task: event.task == null ? undefined : toHex(event.task) })
        break
      case 'datanet':
        this.tell({ type: 'datanet', datanet: event.datanet.toString(), name: event.name })
        break
      case 'contribution':
        this.tell({ type: 'contribution', contribution: event.contribution.toString(), datanet: event.datanet.toString(), status: event.status })
        break
      case 'adapter':
        this.tell({ type: 'adapter', adapter: event.adapter.toString(), status: event.status })
        break
      case 'attestation':
        this.tell({ type: 'attestation', subject: event.subject.toString(), validator: accountToString(event.validator), verdict: event.verdict })
        break
      case 'proposal':
        this.tell({ type: 'proposal', proposal: event.proposal, status: event.status, title: event.title })
        break
      case 'params':
        this.tell({ type: 'params', params: toJson(event.params) as Record<string, unknown> })
        break
      case 'task':
      case 'seat':
        this.task(event.task)
        break
      case 'channel':
        // its payments are told as such
        break
    }
  }

  private task (task: Uint8Array): void {
    const state = this.components.chain.state()
    const found = readTask(state, task)

    if (found != null) {
      this.tell({ type: 'task', task: taskView(state, task, found) })
    }
  }
}

/** A message with the messages of what caused it. */
function withCauses (error: unknown): string {
  const { message, cause } = error instanceof Error ? error : { message: String(error), cause: undefined }
  const all: unknown[] = cause instanceof AggregateError ? cause.errors : [cause]
  const causes = all.filter(one => one != null)

  return causes.length === 0 ? message : `${message} (${causes.map(withCauses).join('; ')})`
}
