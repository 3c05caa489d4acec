import type { AccountInfo, Payment } from './types.ts'
import type {
  AdapterView, AnswerView, BaseView, ContributionView, DatanetView, NodeEvent, NodeStatus, PresetView, ProposalView, TaskView, TrainingView
} from '../../interface/index.ts'

export type BlockEvent = Extract<NodeEvent, { type: 'block' }>

/** All that the page knows of its node; lists are undefined until they have been read once. */
export interface NodeData {
  connection: 'connecting' | 'live' | 'reconnecting' | 'unauthorized'
  status?: NodeStatus
  block?: BlockEvent
  wallet?: AccountInfo[]
  datanets?: DatanetView[]
  contributions?: ContributionView[]
  bases?: BaseView[]
  presets?: PresetView[]
  trainings?: TrainingView[]
  adapters?: AdapterView[]
  answers?: AnswerView[]
  tasks?: TaskView[]
  proposals?: ProposalView[]
  /** 0..1 by task, while this node recomputes it */
  recompute: Record<string, number>
  /** payments that belong to a task, as they were seen */
  payments: Payment[]
  /** what the node warned of, newest first */
  warnings: string[]
}

/** What the page reads, by its path in the API. */
export const resources = ['status', 'wallet', 'datanets', 'contributions', 'bases', 'presets', 'trainings', 'adapters', 'answers', 'tasks', 'proposals'] as const

export type Resource = typeof resources[number]
