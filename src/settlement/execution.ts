import { leaderOf } from '../consensus/index.ts'
import { bls } from '../identity/index.ts'
import { executeBlock, isIncludable, readChain } from '../ledger/index.ts'
import { bodyRoot, equalBytes, headerHash, outcomesRoot, toHex, transactionId } from '../wire/index.ts'
import { eraAfter } from './eras.ts'
import { InvalidBlockError } from './errors.ts'
import { beaconMessage } from './genesis.ts'
import type { Outcome } from './outcome.ts'
import type { Block, Genesis, Hash, Header, Signed, Transaction } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { CID } from 'multiformats/cid'

/** A block with the state after it. */
export interface Point {
  hash: Hash
  header: Header
  state: LedgerState
}

export interface Executed extends Point, Outcome {
  block: Block
}

/** What a new block is made of. */
export interface Draft {
  parent: Hash
  view: number
  proposer: number
  beaconSignature: Uint8Array
  /** chosen for the parent's state */
  select (parent: LedgerState): Array<Signed<Transaction>>
}

function checkHeader ({ header, beaconSignature }: Block, parent: Point, genesis: Genesis): void {
  const { era, validators } = eraAfter(parent.state)
  const validator = validators[leaderOf(header.view, validators.length)]

  if (header.chain !== genesis.chain) {
    throw new InvalidBlockError(`its chain is ${header.chain}`)
  }
  if (header.era !== era) {
    throw new InvalidBlockError(`its era is ${header.era} but its parent's state says ${era}`)
  }
  if (header.height !== parent.header.height + 1 || header.view <= parent.header.view || !equalBytes(header.parent, parent.hash)) {
    throw new InvalidBlockError(`height ${header.height} in view ${header.view} does not follow height ${parent.header.height} in view ${parent.header.view}`)
  }
  if (!equalBytes(header.proposer, validator.account)) {
    throw new InvalidBlockError(`its proposer is not the leader of view ${header.view}`)
  }
  if (!bls.verify(validator.blsPublicKey, beaconMessage(header.chain, header.height), beaconSignature)) {
    throw new InvalidBlockError('its beacon signature is not the proposer\'s')
  }
}

/**
 * Checks a block against the one before it, and executes it.
 *
 * @throws {InvalidBlockError}
 */
export function execute (block: Block, parent: Point, genesis: Genesis): Executed {
  const { header, beaconSignature, transactions } = block
  checkHeader(block, parent, genesis)

  let outcome
  try {
    outcome = executeBlock(parent.state, { height: header.height, parent: header.parent, proposer: header.proposer, beaconSignature, transactions })
  } catch (error) {
    throw new InvalidBlockError('it does not execute', error)
  }

  const bad = outcome.results.find(result => !isIncludable(result))
  if (bad !== undefined) {
    throw new InvalidBlockError(`it holds ${bad.id.toString()}, which no block may hold (${bad.code ?? ''})`)
  }
  if (!equalBytes(outcome.state.map.root, header.stateRoot)) {
    throw new InvalidBlockError(`its state root is ${toHex(header.stateRoot)} but execution gives ${toHex(outcome.state.map.root)}`)
  }

  if (!equalBytes(outcomesRoot(outcome.results), header.outcomesRoot)) {
    throw new InvalidBlockError('its transactions come out otherwise than its header says')
  }
  if (!equalBytes(readChain(outcome.state).validatorsHash, header.validatorsHash)) {
    throw new InvalidBlockError('it names another validator set than its state')
  }

  return { block, hash: headerHash(header), header, state: outcome.state, results: outcome.results, events: outcome.events }
}

/**
 * Builds a block on another one and executes it. `unincludable` are transactions that no block may
 * hold, without those that only follow one of them.
 */
export function build (base: Point, { parent, view, proposer, beaconSignature, select }: Draft, chain: string): Executed & { unincludable: CID[] } {
  const height = base.header.height + 1
  const { era, validators } = eraAfter(base.state)
  const { account } = validators[proposer]
  const run = (transactions: Array<Signed<Transaction>>): ReturnType<typeof executeBlock> => {
    return executeBlock(base.state, { height, parent, proposer: account, beaconSignature, transactions })
  }

  let transactions = select(base.state)
  let outcome = run(transactions)
  const excluded = outcome.results.filter(result => !isIncludable(result))
  const unincludable = excluded.filter(({ code }) => code !== 'ERR_NONCE').map(({ id }) => id)

  // leaving one out may spoil the nonces behind it
  for (let bad = excluded.map(({ id }) => id); bad.length > 0; bad = outcome.results.filter(result => !isIncludable(result)).map(result => result.id)) {
    const ids = new Set(bad.map(String))
    transactions = transactions.filter(transaction => !ids.has(transactionId(transaction).toString()))
    outcome = run(transactions)
  }

  const header: Header = {
    type: 'header',
    version: 1,
    chain,
    era,
    height,
    view,
    parent,
    proposer: account,
    bodyRoot: bodyRoot({ beaconSignature, transactions }),
    outcomesRoot: outcomesRoot(outcome.results),
    stateRoot: outcome.state.map.root,
    validatorsHash: readChain(outcome.state).validatorsHash
  }
  const block = { header, beaconSignature, transactions }
  const hash = headerHash(header)

  return { block, hash, header, state: outcome.state, results: outcome.results, events: outcome.events, unincludable }
}
