import { partColours } from '../colours.ts'
import type { TaskView } from '../../../interface/index.ts'
import type { FeeSplit, Payment } from '../types.ts'

export interface FlowPart {
  key: keyof FeeSplit
  title: string
  colour: string
  amount: bigint
}

export interface TaskFlow {
  parts: FlowPart[]
  data: bigint
  /** how sure the parts are, in words */
  basis: string
}

const titles: Record<keyof FeeSplit, string> = { platform: 'Platform', developers: 'Developers', validators: 'Validators and committee', data: 'Data' }

const order: Array<keyof FeeSplit> = ['platform', 'developers', 'validators', 'data']

const partOf: Record<string, keyof FeeSplit | undefined> = {
  platform: 'platform', developer: 'developers', 'base-developer': 'developers', validator: 'validators', assessor: 'validators'
}

/**
 * Where a task's fees go. If the page saw the payments, they are what is shown; else the split of
 * the task's epoch, as far as the node tells it, or the one in force.
 */
export function flowOf (view: TaskView, payments: Payment[], inForce: FeeSplit): TaskFlow {
  const fees = BigInt(view.fees)
  const seen = payments.filter(({ task, reason }) => task === view.task && partOf[reason] != null)
  const split = view.feeSplit ?? inForce
  const amounts: Record<keyof FeeSplit, bigint> = { platform: 0n, developers: 0n, validators: 0n, data: 0n }

  if (seen.length > 0) {
    for (const { reason, amount } of seen) {
      const part = partOf[reason]

      if (part != null) {
        amounts[part] += BigInt(amount)
      }
    }
  } else {
    for (const part of order) {
      amounts[part] = fees * BigInt(split[part]) / 10_000n
    }
  }

  // what is left is claimed by contributors, each by proof
  amounts.data = fees - amounts.platform - amounts.developers - amounts.validators

  // unless nothing, or not all of it, was scored: then the treasury has the rest
  if (view.dataPool != null && seen.length === 0) {
    amounts.platform += amounts.data - BigInt(view.dataPool)
    amounts.data = BigInt(view.dataPool)
  }

  return {
    parts: order.map(key => ({ key, title: titles[key], colour: partColours[key], amount: amounts[key] })),
    data: amounts.data,
    basis: basisOf(view, seen.length > 0)
  }
}

function basisOf (view: TaskView, seen: boolean): string {
  if (view.phase !== 'settled') {
    return 'as it will be paid'
  }

  return seen || view.feeSplit != null ? 'as it was paid' : 'by the split that is in force now'
}
