import { SnapshotError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts'
import { stateCodecs } from './values.ts'
import type { LedgerState } from './interface.ts'
import type { Hash } from '../interface/index.ts'

/** `Header.stateRoot` of the block after which this is the state. 32 bytes. */
export function stateRoot (state: LedgerState): Hash {
  return state.map.root
}

/** A state as bytes for the disk. Equal states give equal bytes. */
export function encodeState (state: LedgerState): Uint8Array {
  return encodeSnapshot(state.map)
}

/**
 * The state of a snapshot.
 *
 * @param bytes - what `encodeState` gave
 * @param root - of the certified header at its height
 * @throws {SnapshotError} when the bytes are malformed or of another state
 */
export function decodeState (bytes: Uint8Array, root: Hash): LedgerState {
  const map = decodeSnapshot(bytes, root)
  const chain = map.get(stateKeys.chain)

  if (chain === undefined) {
    throw new SnapshotError('the snapshot is of a map that is no ledger')
  }

  return { map, height: stateCodecs.chain.decode(chain).height }
}
