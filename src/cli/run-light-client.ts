import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { NodeUnreachableError } from '../client/index.ts'
import { accountToString } from '../identity/index.ts'
import { forkEvidenceCodec, ForkError, trustedHeaderCodec } from '../light-client/index.ts'
import { lightNode, NoPeerError, readConfig, readGenesis, writeWhole } from '../node/index.ts'
import { toError } from '../utils/index.ts'
import { headerHash, toHex } from '../wire/index.ts'
import { colours as pc } from './colours.ts'
import { exitCodes } from './constants.ts'
import { contextOf } from './context.ts'
import { CommandError } from './errors.ts'
import { short } from './output.ts'
import type { Context } from './context.ts'
import type { NodeStatus } from '../interface/index.ts'
import type { Checkpoint, TrustedHeader } from '../light-client/index.ts'
import type { LightNode } from '../node/index.ts'
import type { Command } from 'commander'

interface LightOptions {
  bootstrap: string[]
  witness: string[]
  checkpoint?: Checkpoint
  trustingPeriod?: number
  forget?: boolean
}

/** Runs something with a light client, which goes on where the last one ended. */
export async function withLight (self: Command, use: (light: LightNode, context: Context) => Promise<void>): Promise<void> {
  const context = contextOf(self)
  const { options: { dataDir }, signal } = context
  const { bootstrap, checkpoint, forget, trustingPeriod, witness } = self.optsWithGlobals<LightOptions>()
  // what a person names now counts more than what this program remembers
  const trusted = checkpoint === undefined && forget !== true ? await rememberedIn(dataDir) : undefined
  const light = lightNode({
    genesis: await readGenesis(dataDir),
    bootstrap: bootstrap.length > 0 ? bootstrap : await knownPeers(context),
    checkpoint,
    trusted,
    witnesses: witness,
    // what somebody gave to us now counts from now on; without a period the time is only remembered
    trusting: { since: Date.now(), periodMs: trustingPeriod === undefined ? Infinity : trustingPeriod * 1_000, now: () => Date.now() }
  })

  try {
    await light.start({ signal })
    await use(light, context)
    await remember(light, dataDir)
  } catch (err) {
    if (err instanceof ForkError) {
      await keepEvidence(err, context)
      await report(light, err, context)
    }

    throw err
  } finally {
    await light.stop()
  }
}

const rememberedAt = (dataDir: string): string => join(dataDir, 'light.cbor')

/**
 * What was verified the last time.
 *
 * @throws {CommandError} if the file is damaged
 */
async function rememberedIn (dataDir: string): Promise<TrustedHeader | undefined> {
  const path = rememberedAt(dataDir)

  try {
    const { size } = await stat(path)

    return size <= trustedHeaderCodec.bytesMax ? trustedHeaderCodec.decode(new Uint8Array(await readFile(path))) : damaged(path, `it has ${size} bytes`)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined
    }

    return damaged(path, cause)
  }
}

function damaged (path: string, cause: unknown): never {
  throw new CommandError('ERR_FILE', `${path} should hold the newest header that was verified, but cannot be read`, {
    exitCode: exitCodes.usage, cause, hint: 'begin at the genesis with --forget, or at a header that somebody whom you trust names, with --checkpoint'
  })
}

/** So that the next client goes on here, and nobody can lead it back. */
export async function remember ({ client }: LightNode, dataDir: string): Promise<void> {
  if (client.trusted !== undefined) {
    await writeWhole(rememberedAt(dataDir), trustedHeaderCodec.encode(client.trusted))
  }
}

/** Whoever signed both sides of a fork is slashed, if any peer is honest enough to say so. */
async function report (light: LightNode, { evidence }: ForkError, { out, signal }: Context): Promise<void> {
  try {
    const { transaction } = await light.reportFork(evidence, { signal })

    out.line(transaction == null ? '  they were convicted before' : `  reported: ${transaction.toString()}`)
  } catch (err) {
    out.line(`  not reported: ${toError(err).message}`)
  }
}

/** Writes the record that convicts, and says whom. */
async function keepEvidence ({ evidence }: ForkError, { options: { dataDir }, out }: Context): Promise<void> {
  const path = join(dataDir, `fork-${evidence.first.header.height}-${toHex(headerHash(evidence.second.header)).slice(0, 16)}.cbor`)
  await writeWhole(path, forkEvidenceCodec.encode(evidence))

  out.line(`${pc.red('✗')} fork: headers ${[evidence.first, evidence.second].map(({ header }) => `${short(toHex(headerHash(header)))} at height ${header.height}`).join(' and ')}`)
  evidence.accused.forEach(one => { out.line(`  signed both: ${accountToString(one)}`) })
  out.line(`  evidence: ${path}`)
}

/** Peers of config.json, and the node that runs on the data directory. */
async function knownPeers ({ options: { dataDir }, node, signal }: Context): Promise<string[]> {
  const { bootstrap } = await readConfig(dataDir)
  const addresses = await node()
    .then(async client => (await client.get<NodeStatus>('/api/v1/status', { signal })).addresses ?? [])
    .catch((err: unknown) => {
      if (err instanceof NodeUnreachableError) {
        return []
      }

      throw err
    })

  if (bootstrap.length + addresses.length === 0) {
    throw new NoPeerError([])
  }

  return [...addresses, ...bootstrap]
}
