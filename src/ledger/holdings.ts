import { listAccounts, listAdapters, listCandidates, listChannels, listContributions, listDatanets, listPlants, listTasks, listUnbonding, listWaiting, readChain } from './readers.ts'
import type { Holdings, LedgerState } from './interface.ts'
import type { Amount, TaskState } from '../interface/index.ts'

/**
 * Where all OPEN is. `total` equals `supply` after every block: nothing is ever made or lost.
 * Reads the whole state: for tests and audits.
 */
export function totalHoldings (state: LedgerState): Holdings {
  let balances = 0n
  let wrapped = 0n
  let stakes = sum(listCandidates(state), one => one.state.bonded) + sum(listUnbonding(state), one => sum(one.state, ({ amount }) => amount))

  for (const { state: { balance, staked, gopen } } of listAccounts(state)) {
    balances += balance
    stakes += staked
    wrapped += gopen
  }

  const escrows = sum(listChannels(state), ({ state: { closed, deposit, redeemed } }) => closed ? 0n : deposit - redeemed)
  const deposits = sum(listDatanets(state), one => one.state.deposit) +
    sum(listContributions(state), one => one.state.deposit) +
    sum(listAdapters(state), one => one.state.deposit)
  const tasks = sum(listTasks(state), one => taskHolding(one.state)) + sum(listWaiting(state), ({ source: { fees, bond } }) => fees + bond) + sum(listPlants(state), one => one.state.bond)

  return {
    balances,
    stakes,
    wrapped,
    escrows,
    deposits,
    tasks,
    total: balances + stakes + wrapped + escrows + deposits + tasks,
    supply: readChain(state).supply
  }
}

/** What a task holds: its fees until they are divided, then what is left of the data pool and of the developers' of a merged adapter; and bonds of gateways and a challenger. */
export function taskHolding ({ phase, fees, sources, dataPool, paid, challenge, developers }: TaskState): Amount {
  switch (phase) {
    case 'settled': return dataPool - paid + (developers === undefined ? 0n : developers.pool - developers.paid)
    case 'unavailable': return 0n
    default: return fees + sum(sources, ({ bond, fault }) => fault === null ? bond : 0n) + (challenge?.bond ?? 0n)
  }
}

function sum<T> (items: Iterable<T>, amountOf: (item: T) => Amount): Amount {
  let total = 0n

  for (const item of items) {
    total += amountOf(item)
  }

  return total
}
