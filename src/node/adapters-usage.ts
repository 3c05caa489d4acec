import { accountToString } from '../identity/index.ts'
import { listTasks, readChannel } from '../ledger/index.ts'
import { toHex } from '../wire/index.ts'
import { ADAPTER_EPOCHS_SHOWN_MAX, ADAPTER_PAYERS_SHOWN_MAX, ADAPTER_USES_SHOWN_MAX } from './registry-constants.ts'
import type { AdapterUsageView, AdapterUseView } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { CID } from 'multiformats/cid'

interface Sum { answers: number, fees: bigint }

/** Who used an adapter: what gateways redeemed for its answers, by redemption and in sum. */
export function adapterUsage (state: LedgerState, adapter: CID): { uses: AdapterUseView[], usage: AdapterUsageView } {
  const uses: AdapterUseView[] = []
  const total: Sum = { answers: 0, fees: 0n }
  const payers = new Map<string, Sum>()
  const epochs = new Map<number, Sum>()
  const tasks = [...listTasks(state)].filter(({ state: task }) => task.adapter.equals(adapter)).sort((a, b) => b.state.epoch - a.state.epoch)

  for (const { task, state: { epoch, sources } } of tasks) {
    for (const { gateway, channel, receipts, fees } of sources) {
      const account = readChannel(state, channel)?.payer
      const payer = account == null ? null : accountToString(account)

      uses.push({ task: toHex(task), epoch, gateway: accountToString(gateway), payer, receipts, fees: fees.toString() })

      for (const sum of [total, sumOf(epochs, epoch), ...payer == null ? [] : [sumOf(payers, payer)]]) {
        sum.answers += receipts
        sum.fees += fees
      }
    }
  }

  return {
    uses: uses.slice(0, ADAPTER_USES_SHOWN_MAX),
    usage: {
      ...written(total),
      payers: [...payers].sort(([, a], [, b]) => a.fees < b.fees ? 1 : -1).slice(0, ADAPTER_PAYERS_SHOWN_MAX).map(([payer, sum]) => ({ payer, ...written(sum) })),
      epochs: [...epochs].slice(0, ADAPTER_EPOCHS_SHOWN_MAX).map(([epoch, sum]) => ({ epoch, ...written(sum) }))
    }
  }
}

function sumOf<K> (sums: Map<K, Sum>, key: K): Sum {
  const sum = sums.get(key) ?? { answers: 0, fees: 0n }

  sums.set(key, sum)

  return sum
}

const written = ({ answers, fees }: Sum): { answers: number, fees: string } => ({ answers, fees: fees.toString() })
