import { listContributions, listDatanets, readContribution, readDatanet } from '../ledger/index.ts'
import { compareBytes } from '../wire/index.ts'
import type { ContributionEntry, DatanetEntry, DatanetsChain } from './interface.ts'
import type { FinalisedBlock, LedgerEvent } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/**
 * Ledger order: by height, within a block by the position in their Datanet (and between Datanets by
 * CID). Everybody can compute it from the state alone, and it never changes.
 */
export const compareContributions = (a: ContributionEntry, b: ContributionEntry): number =>
  a.state.height - b.state.height || a.state.index - b.state.index || compareBytes(a.contribution.bytes, b.contribution.bytes)

/** Datanets and contributions of the finalised state: read, then kept up to date by events. */
export class LedgerIndex {
  private readonly chain: DatanetsChain
  private readonly datanets = new Map<string, CID>()
  private readonly contributions = new Map<string, Map<string, CID>>()
  private readonly onChange: (events: LedgerEvent[]) => void
  private readonly onRead: () => void

  /**
   * `onChange` is called with what happened to Datanets and contributions, after the index knows;
   * `onRead` when all was read: at the start, and after blocks that were never here.
   */
  constructor (chain: DatanetsChain, onChange: (events: LedgerEvent[]) => void, onRead: () => void) {
    this.chain = chain
    this.onChange = onChange
    this.onRead = onRead
  }

  start (): void {
    this.chain.addEventListener('block', this.onBlock)
    this.chain.addEventListener('leap', this.read)
    this.read()
  }

  stop (): void {
    this.chain.removeEventListener('block', this.onBlock)
    this.chain.removeEventListener('leap', this.read)
  }

  private readonly read = (): void => {
    const state = this.chain.state()
    for (const { datanet } of listDatanets(state)) {
      this.addDatanet(datanet)
    }
    for (const { contribution, state: { datanet } } of listContributions(state)) {
      this.addContribution(datanet, contribution)
    }
    this.onRead()
  }

  datanet (datanet: CID, ledger = this.chain.state()): DatanetEntry | undefined {
    const state = readDatanet(ledger, datanet)
    return state === undefined ? undefined : { datanet, state }
  }

  contribution (contribution: CID, ledger = this.chain.state()): ContributionEntry | undefined {
    const state = readContribution(ledger, contribution)
    return state === undefined ? undefined : { contribution, state }
  }

  listDatanets (): DatanetEntry[] {
    const state = this.chain.state()
    return [...this.datanets.values()]
      .map(datanet => this.datanet(datanet, state))
      .filter(entry => entry !== undefined)
      .sort((a, b) => a.state.height - b.state.height || compareBytes(a.datanet.bytes, b.datanet.bytes))
  }

  listContributions (datanet?: CID): ContributionEntry[] {
    const state = this.chain.state()
    const groups = datanet === undefined ? [...this.contributions.values()] : [this.contributions.get(datanet.toString()) ?? new Map<string, CID>()]
    return groups
      .flatMap(group => [...group.values()])
      .map(contribution => this.contribution(contribution, state))
      .filter(entry => entry !== undefined)
      // a squatter may have named another Datanet before the author came
      .filter(entry => datanet === undefined || entry.state.datanet.equals(datanet))
      .sort(compareContributions)
  }

  private readonly onBlock = (event: CustomEvent<FinalisedBlock>): void => {
    const relevant = event.detail.events.filter(({ type }) => type === 'datanet' || type === 'contribution')
    for (const change of relevant) {
      if (change.type === 'datanet') {
        this.addDatanet(change.datanet)
      } else if (change.type === 'contribution') {
        this.addContribution(change.datanet, change.contribution)
      }
    }
    if (relevant.length > 0) {
      this.onChange(relevant)
    }
  }

  private addDatanet (datanet: CID): void {
    this.datanets.set(datanet.toString(), datanet)
  }

  private addContribution (datanet: CID, contribution: CID): void {
    const key = datanet.toString()
    const group = this.contributions.get(key) ?? new Map<string, CID>()
    group.set(contribution.toString(), contribution)
    this.contributions.set(key, group)
  }
}
