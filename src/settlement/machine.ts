import { consensus } from '../consensus/index.ts'
import { bls } from '../identity/index.ts'
import { readChain } from '../ledger/index.ts'
import { toTimeouts } from './config.ts'
import { CATCH_UP_DELAY_MS, FAST_SYNC_BLOCKS, REST_EPOCHS } from './constants.ts'
import { consensusDriver } from './driver.ts'
import { effectPerformer } from './effects.ts'
import { eraAfter, selfIn } from './eras.ts'
import type { Book } from './book.ts'
import type { Driver, Judgement } from './driver.ts'
import type { EffectsInit } from './effects.ts'
import type { Era } from './eras.ts'
import type { ChainInit } from './interface.ts'
import type { ChainStore } from './store.ts'
import type { Submissions } from './submissions.ts'
import type { ValidatorPeers } from './validators.ts'
import type { Consensus, ConsensusInput, SignedPosition, VoteSigner } from '../consensus/index.ts'
import type { FinalisedBlock } from '../interface/index.ts'

type Driven = Parameters<Driver['step']>[0]

export interface MachineInit extends Pick<EffectsInit, 'network' | 'protocols' | 'sendVote' | 'publishProposal' | 'publishCertificate' | 'onEvidence'> {
  init: ChainInit
  store: ChainStore
  book: Book
  submissions: Submissions
  validators: ValidatorPeers
  onBlock (block: FinalisedBlock): void
  onLeap (): void
  onHalt (error: unknown): void
}

/** The consensus of a chain that runs: one state machine after the other, each for an era, and what drives them. */
export interface Machine {
  /** who certifies the next block */
  readonly era: Era
  /** own index in it; null for a node that follows */
  readonly self: number | null
  /** undefined before `start` and after `stop` */
  readonly core: Consensus | undefined
  /** The book is loaded. Begins where the disk says; submissions and peers begin with it. */
  start (signal: AbortSignal): Promise<void>
  /** After the signal fired. */
  stop (): Promise<void>
  /** What consensus says of an input. */
  judge (input: Driven): Judgement
  /** Others are in an era: unless we know it, or are about to enter it, fetches what we missed. */
  heardOf (era: number): void
  /** Whether there is something to put into blocks, or something that waits for blocks to pass. */
  tellPending (): void
}

/** @param parts - of the chain; none of them runs yet */
export function machine (parts: MachineInit): Machine {
  const { init, store, book, submissions, validators } = parts
  let era = eraAfter(book.final.state)
  let self = selfIn(era, init)
  let core: Consensus | undefined
  let driver: Driver | undefined
  let catchUp: (() => Promise<void>) | undefined
  let catchUpTimer: ReturnType<typeof setTimeout> | undefined
  /** of the newest block with transactions since the start */
  let busyHeight = 0

  const signer = (): VoteSigner | undefined => {
    const { blsSecretKey } = init
    return blsSecretKey === undefined ? undefined : { sign: message => bls.sign(blsSecretKey, message) }
  }

  const coreOf = ({ era: number, validators: set, hash }: Era, signedUpTo: SignedPosition | undefined): Consensus =>
    consensus({ chain: init.genesis.chain, era: number, validators: set, validatorsHash: hash, signedUpTo, self, bls, signer: signer(), timeouts: toTimeouts(init.times ?? {}) })

  const startInput = async (): Promise<Extract<ConsensusInput, { type: 'start' }>> => {
    const { hash, header, certificate } = book.final
    return {
      type: 'start',
      final: { hash, height: header.height, view: header.view, certificate },
      records: await store.records(),
      blocks: book.heldBlocks().map(({ hash, block }) => ({ hash, header: block.header }))
    }
  }

  const judge = (input: Driven): Judgement => driver?.step(input) ?? { verdict: 'ignore', reason: 'the chain is not running' }

  const hasWork = (): boolean => {
    const { openTasks, openProposals, params: { epochBlocks } } = readChain(book.final.state)
    return openTasks.length > 0 || openProposals.length > 0 || book.final.header.height - busyHeight < REST_EPOCHS * epochBlocks
  }

  const tellPending = (): void => {
    judge({ type: 'pending', transactions: submissions.pool.ready(), work: hasWork() })
  }

  const heardOf = (heard: number): void => {
    if (heard > era.era && catchUpTimer === undefined) {
      catchUpTimer = setTimeout(() => {
        catchUpTimer = undefined

        if (heard > era.era) {
          catchUp?.().catch(() => {})
        }
      }, CATCH_UP_DELAY_MS)
    }
  }

  /** After the last block of an era: its successor's validators go on. */
  const enterEra = async (): Promise<void> => {
    const next = eraAfter(book.final.state)

    if (next.era === era.era) {
      return
    }
    era = next
    self = selfIn(era, init)
    const successor = coreOf(era, await store.restored())
    const input = await startInput()
    core = successor
    driver?.replace(successor, input)
    tellPending()
  }

  const effects = (signal: AbortSignal): ReturnType<typeof effectPerformer> => effectPerformer({
    ...parts,
    chain: init.genesis.chain,
    self: () => self,
    signer: signer(),
    judge: (input) => { judge(input) },
    heardOf,
    enqueue: async (job) => driver?.enqueue(job),
    onBlock: async detail => {
      busyHeight = detail.block.transactions.length > 0 ? book.final.header.height : busyHeight
      parts.onBlock(detail)
      tellPending()
      await enterEra()
    },
    onLeap: async () => {
      submissions.onLeap()
      parts.onLeap()
      await enterEra()
    },
    fastSyncBlocks: init.fastSyncBlocks ?? FAST_SYNC_BLOCKS,
    signal
  })

  return {
    get era () {
      return era
    },
    get self () {
      return self
    },
    get core () {
      return core
    },
    start: async (signal) => {
      busyHeight = book.final.header.height
      era = eraAfter(book.final.state)
      self = selfIn(era, init)
      const first = coreOf(era, await store.restored())
      const performer = effects(signal)
      const input = await startInput()
      await submissions.start()
      catchUp = performer.catchUp
      core = first
      driver = consensusDriver(first, performer.perform, parts.onHalt)
      driver.start(input)
      tellPending()
      validators.start()
    },
    stop: async () => {
      clearTimeout(catchUpTimer)
      catchUpTimer = undefined
      validators.stop()
      submissions.stop()
      const running = driver
      driver = undefined
      core = undefined
      await running?.stop()
    },
    judge,
    heardOf,
    tellPending
  }
}
