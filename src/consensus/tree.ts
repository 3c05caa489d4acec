import { equalBytes, toHex } from '../wire/index.ts'
import { PATIENT_REBROADCASTS, SYNC_HEIGHTS_MIN } from './constants.ts'
import { enterView } from './pacing.ts'
import { certificateAt, closes, emit, notarizedAt, prune } from './state.ts'
import type { BlockState, Machine } from './state.ts'
import type { Certificate, Hash } from '../interface/index.ts'

export interface Parent {
  hash: Hash
  height: number
  view: number
  /** of the era */
  last: boolean
}

/** Why a block may not be extended yet, or that it may. */
export type Extension =
  | { type: 'yes', parent: Parent }
  /** never, whatever else arrives */
  | { type: 'no' }
  /** the certificate of this view is not here */
  | { type: 'certificate', view: number }
  /** the parent's block is not here or not verified yet */
  | { type: 'block' }
  /** this is the era's last block: propose it once more */
  | { type: 'again', block: BlockState }

/** The parent with this hash, if it is final or its block is here. */
const parentOf = (machine: Machine, hash: Hash): Parent | null => {
  const { state } = machine

  if (equalBytes(hash, state.final.hash)) {
    return { hash, height: state.final.height, view: state.final.view, last: state.over }
  }

  const block = state.blocks.get(toHex(hash))

  return block === undefined ? null : { hash, height: block.header.height, view: block.header.view, last: closes(machine, block.header) }
}

/** Whether every view in `from … to` was nullified; the highest that was not, or null. */
const notNullified = (machine: Machine, from: number, to: number): number | null => {
  for (let view = to; view >= from; view--) {
    if (certificateAt(machine, 'nullify', view) === null) {
      return view
    }
  }

  return null
}

/** The highest view below `view` in which a block was notarized, if all between are nullified. */
export const notarizedBefore = (machine: Machine, hash: Hash, view: number): number | null => {
  for (let before = view - 1; before > machine.state.final.view; before--) {
    const notarization = notarizedAt(machine, before)

    if (notarization !== null && equalBytes(notarization.blockHash, hash)) {
      return before
    }

    if (certificateAt(machine, 'nullify', before) === null) {
      return null
    }
  }

  return null
}

/** Whether the era's last block may be voted on in a later view than its first: like a child of its own. */
const repetition = (machine: Machine, { hash, header }: BlockState, view: number): Extension => {
  const parent = parentOf(machine, header.parent)

  if (parent === null) {
    return { type: 'block' }
  }

  return notarizedBefore(machine, hash, view) === null ? { type: 'certificate', view: header.view } : { type: 'yes', parent }
}

/**
 * Whether the rules let a validator vote for a block in a view: its parent is notarized or final, not
 * the last of the era, and all views between are nullified.
 */
export const extension = (machine: Machine, block: BlockState, view: number): Extension => {
  const { state } = machine
  const { header } = block

  if (view > header.view) {
    return repetition(machine, block, view)
  }

  const parent = parentOf(machine, header.parent)

  if (parent === null) {
    if (header.height <= state.final.height + 1) {
      return { type: 'no' }
    }

    for (const view of state.views.keys()) {
      const notarization = view < header.view ? notarizedAt(machine, view) : null

      if (notarization !== null && equalBytes(notarization.blockHash, header.parent)) {
        return { type: 'block' }
      }
    }

    return { type: 'certificate', view: state.final.view + 1 }
  }

  if (header.height !== parent.height + 1 || parent.view >= header.view || parent.last) {
    return { type: 'no' }
  }

  if (parent.view > state.final.view) {
    const notarization = notarizedAt(machine, parent.view)

    if (notarization === null) {
      return { type: 'certificate', view: parent.view }
    }

    if (!equalBytes(notarization.blockHash, parent.hash)) {
      return { type: 'no' }
    }
  }

  const missing = notNullified(machine, parent.view + 1, header.view - 1)

  return missing === null ? { type: 'yes', parent } : { type: 'certificate', view: missing }
}

/** Whether the driver has the state after this block. */
export const executed = ({ state }: Machine, hash: Hash): boolean =>
  equalBytes(hash, state.final.hash) || state.blocks.get(toHex(hash))?.status === 'valid'

/** What a leader of the current view should build on: the highest notarized block that it can extend. */
export const chooseParent = (machine: Machine): Extension => {
  const { state } = machine

  for (let view = state.view - 1; view > state.final.view; view--) {
    const notarization = notarizedAt(machine, view)
    const nullified = certificateAt(machine, 'nullify', view) !== null

    if (notarization !== null) {
      const block = state.blocks.get(toHex(notarization.blockHash))

      if (block !== undefined && block.status === 'valid') {
        return closes(machine, block.header)
          ? { type: 'again', block }
          : { type: 'yes', parent: { hash: block.hash, height: block.header.height, view, last: false } }
      }

      if (!nullified) {
        return { type: 'block' }
      }
    } else if (!nullified) {
      return { type: 'certificate', view }
    }
  }

  return { type: 'yes', parent: { ...state.final, last: state.over } }
}

/**
 * Finalises what the newest finalize certificate covers, as far as the blocks are here.
 *
 * @returns the hash of the first block that is missing, or null
 */
export const finalise = (machine: Machine): Hash | null => {
  const { state } = machine
  const certificate = state.finalization

  if (certificate === null || certificate.era !== machine.config.era || certificate.view <= state.final.view || equalBytes(certificate.blockHash, state.final.hash)) {
    return null
  }

  const chain: BlockState[] = []
  let hash = certificate.blockHash

  while (!equalBytes(hash, state.final.hash)) {
    const block = state.blocks.get(toHex(hash))

    if (block === undefined) {
      requestSync(machine, chain[0])
      return hash
    }

    if (block.header.height <= state.final.height) {
      // two chains are final: a third of the stake is faulty. Keep what is final here and tell.
      if (state.final.certificate !== null) {
        emit(machine, { type: 'evidence', evidence: { type: 'conflicting-certificates', first: state.final.certificate, second: certificate } })
      }

      state.finalization = state.final.certificate
      return null
    }

    chain.push(block)
    hash = block.header.parent
  }

  announce(machine, chain.reverse())
  return null
}

/** A long way to go is the driver's business: it fetches ranges. */
const requestSync = (machine: Machine, top: BlockState | undefined): void => {
  const { state, timeouts } = machine
  const certificate = state.finalization

  if (certificate !== null && top !== undefined && top.header.height - state.final.height > SYNC_HEIGHTS_MIN && state.nowMs >= state.syncAtMs) {
    // asking again is for the case that it failed: a driver that is still at it passes this over
    state.syncAtMs = state.nowMs + timeouts.requestMs * 3
    emit(machine, { type: 'sync', hash: top.hash, height: top.header.height, certificate })
  }
}

/** A block's own finalize certificate: of its view, or, for the era's last block, of a later one. */
const finalization = (machine: Machine, { hash, header }: BlockState): Certificate | null => {
  const newest = machine.state.finalization

  return newest !== null && equalBytes(newest.blockHash, hash) ? newest : certificateAt(machine, 'finalize', header.view)
}

const announce = (machine: Machine, chain: BlockState[]): void => {
  const { state } = machine

  for (let i = 0; i < chain.length; i++) {
    const { hash, header: { height, view } } = chain[i]
    const certificate = chain.slice(i).map(block => finalization(machine, block)).find(found => found !== null)

    if (certificate !== undefined && certificate !== null) {
      emit(machine, { type: 'finalise', hash, height, view, certificate, direct: equalBytes(certificate.blockHash, hash) })
    }
  }

  const { hash, header } = chain[chain.length - 1]
  const { height, view } = header

  state.over = closes(machine, header)
  settle(machine, { hash, height, view, certificate: state.finalization })
}

/** Makes a block the last final one. */
export const settle = (machine: Machine, final: Machine['state']['final']): void => {
  const { state, timeouts } = machine

  state.final = final
  state.finalAskAtMs = state.nowMs + timeouts.rebroadcastMs * PATIENT_REBROADCASTS
  prune(machine)

  if (state.view <= final.view) {
    enterView(machine, final.view + 1)
  }
}
