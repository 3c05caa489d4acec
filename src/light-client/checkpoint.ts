import { bls } from '../identity/index.ts'
import { equalBytes, headerHash, toHex, validatorsHash } from '../wire/index.ts'
import { CheckpointError, ValidatorSetError, WrongChainError } from './errors.ts'
import { ask } from './source.ts'
import type { Anchor } from './headers.ts'
import type { Checkpoint, HeaderSource } from './interface.ts'
import type { AbortOptions, Genesis, Header } from '../interface/index.ts'

export interface CheckpointInit {
  genesis: Genesis
  source: HeaderSource
  timeoutMs: number
}

/**
 * The header that a checkpoint names and the set that it commits to. Only the hash is believed: one
 * header and one set are asked for, whatever the number of eras between the genesis and it.
 *
 * @throws {CheckpointError | ValidatorSetError | WrongChainError | SourceError | MalformedRecordError}
 */
export async function fromCheckpoint ({ genesis, source, timeoutMs }: CheckpointInit, checkpoint: Checkpoint, options: AbortOptions): Promise<{ anchor: Anchor, header: Header }> {
  const { height } = checkpoint
  const { header } = await ask(`the header at height ${height}`, timeoutMs, options, async within => source.header(height, within))
  const hash = headerHash(header)

  if (header.height !== height || !equalBytes(hash, checkpoint.hash)) {
    throw new CheckpointError(checkpoint, `the source has ${toHex(hash)} at height ${header.height}`)
  }

  if (header.chain !== genesis.chain) {
    throw new WrongChainError(genesis.chain, header.chain)
  }

  // the set that certifies the next block: that of this era, or of the next one after an era's last block
  for (const era of [header.era, header.era + 1]) {
    const validators = era === 0
      ? genesis.validators
      : (await ask(`the validators of era ${era}`, timeoutMs, options, async within => source.eraChange?.(era, within)))?.validators

    if (validators !== undefined && equalBytes(validatorsHash(validators), header.validatorsHash)) {
      // the ledger checked each key before it let it in, and we believe the hash
      bls.trust(validators.map(({ blsPublicKey }) => blsPublicKey))

      return { anchor: { era, validators }, header }
    }
  }

  throw new ValidatorSetError(height)
}

/**
 * Throws if a verified header contradicts the checkpoint.
 *
 * @throws {CheckpointError}
 */
export function checkDescends (header: Header, from: Header, checkpoint: Checkpoint): void {
  const heights = header.height - from.height
  const views = header.view - from.view

  if (heights < 0 || (heights === 0 ? !equalBytes(headerHash(header), checkpoint.hash) : views <= 0)) {
    throw new CheckpointError(checkpoint, `the source's header at height ${header.height} and view ${header.view} contradicts it`)
  }
}
