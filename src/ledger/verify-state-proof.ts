import { equalBytes, STATE_VALUE_BYTES_MAX } from '../wire/index.ts'
import { statePath, stateValueHash } from './authenticated-map.ts'
import { STATE_KEY_LENGTH_MAX } from './constants.ts'
import { decodeTreeProof, rootOfProof } from './state-proof.ts'
import type { Hash, StateProof } from '../interface/index.ts'

/**
 * Whether the map with this root holds `proof.key` with `proof.value`, or, if that is null, does
 * not hold the key. Never throws, whatever the bytes; costs at most 257 hashes.
 *
 * @param root - 32 bytes, of a certified header
 */
export function verifyStateProof (root: Hash, proof: StateProof): boolean {
  if (proof.key.length > STATE_KEY_LENGTH_MAX || (proof.value?.length ?? 0) > STATE_VALUE_BYTES_MAX) {
    return false
  }

  const path = decodeTreeProof(proof.proof)

  if (path === null) {
    return false
  }

  const found = rootOfProof(path, statePath(proof.key), proof.value === null ? null : stateValueHash(proof.value))

  return found !== null && equalBytes(found, root)
}
