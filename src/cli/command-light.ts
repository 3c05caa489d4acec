import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { CID } from 'multiformats/cid'
import { NodeUnreachableError } from '../api/index.ts'
import { colours as pc } from '../demo/index.ts'
import { accountFromString, accountToString } from '../identity/index.ts'
import { forkEvidenceCodec, ForkError, trustedHeaderCodec } from '../light-client/index.ts'
import { lightNode, NoPeerError, readConfig, readGenesis, writeWhole } from '../node/index.ts'
import { toError } from '../utils/index.ts'
import { fromHex, headerHash, toHex } from '../wire/index.ts'
import { account, checkpoint, cid, collect, integer, taskHash } from './arguments.ts'
import { pastCommands } from './command-light-past.ts'
import { printWhy } from './command-why.ts'
import { exitCodes } from './constants.ts'
import { contextOf, examples } from './context.ts'
import { CommandError } from './errors.ts'
import { formatOpen, short } from './output.ts'
import type { Context } from './context.ts'
import type { CertifiedHeader, NodeStatus } from '../interface/index.ts'
import type { Checkpoint, TrustedHeader } from '../light-client/index.ts'
import type { LightNode } from '../node/index.ts'

interface LightOptions {
  bootstrap: string[]
  witness: string[]
  checkpoint?: Checkpoint
  trustingPeriod?: number
  forget?: boolean
}

/** How often a follower asks for a newer header; blocks come about once a second. */
const FOLLOW_MS = 1_000

/** `datanet light`: a light client that believes the genesis and nobody else. */
export function lightCommand (): Command {
  const command = new Command('light')
    .description('a light client: verifies headers, accounts, payouts and the past by proof, without the chain')
    .addOption(new Option('--bootstrap <multiaddr>', 'a peer that has the chain').argParser(collect).default([], 'those of config.json, or the node that runs on the data directory'))
    .addOption(new Option('--witness <multiaddr>', 'another peer that has to confirm each new header; may be repeated').argParser(collect).default([], 'none'))
    .option('--checkpoint <height>:<hash>', 'a header that somebody you trust named: begins there instead of at the genesis', checkpoint)
    .option('--forget', 'begin at the genesis again, not at what was verified the last time')
    .option('--trusting-period <seconds>', 'refuse to go on when nothing newer was verified for so long; default: never', integer(1, 1_000_000_000))

  command.addCommand(examples(new Command('follow')
    .description('verify each new header until Ctrl-C')
    .option('--blocks <count>', 'stop after so many headers', integer(1, 1_000_000_000))
    .action(async ({ blocks }: { blocks?: number }, self: Command) => withLight(self, async (light, context) => follow(light, context, blocks))),
  ['datanet light follow', 'datanet light follow --blocks 1 --json']), { isDefault: true })

  command.addCommand(examples(new Command('account')
    .description('the balance of an account, by proof')
    .argument('<account>', 'z6Mk…', account)
    .action(async (text: string, _options, self: Command) => withLight(self, async ({ client }, { out, signal }) => {
      const at = await client.sync({ signal })
      const { value } = await client.account(accountFromString(text), { signal })

      out.line(`${text}: ${formatOpen(value?.balance ?? 0n)}, ${formatOpen(value?.gopen ?? 0n, 'gOPEN')}`)
      out.line(`proven against header ${short(toHex(headerHash(at.header)))} at height ${at.header.height}`)
      out.result({ account: text, balance: (value?.balance ?? 0n).toString(), height: at.header.height })
    })), ['datanet light account z6Mk…']))

  command.addCommand(examples(new Command('why')
    .description('why a contribution was paid, by proof')
    .argument('<contribution>', 'CID of the contribution', cid)
    .requiredOption('--task <hash>', 'the task that paid it: `datanet status` lists them', taskHash)
    .action(async (contribution: string, { task }: { task: string }, self: Command) => withLight(self, async ({ client }, { out, signal }) => {
      const view = await client.why(fromHex(task), CID.parse(contribution), { signal })

      printWhy(out, view)
      out.result(view)
    })), ['datanet light why bafy… --task 9f2c…']))

  pastCommands(withLight).forEach(past => command.addCommand(past))

  return examples(command, ['datanet light follow', 'datanet --data-dir ./alice light account z6Mk…', 'datanet light --checkpoint 1200:5be1… --witness /ip4/…/p2p/12D3…'])
}

async function withLight (self: Command, use: (light: LightNode, context: Context) => Promise<void>): Promise<void> {
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
async function remember ({ client }: LightNode, dataDir: string): Promise<void> {
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

async function follow (light: LightNode, { out, signal, options: { dataDir } }: Context, blocks = Infinity): Promise<void> {
  const { client } = light
  let seen: CertifiedHeader | undefined
  let count = 0

  while (!signal.aborted && count < blocks) {
    const newest = await client.sync({ signal })

    if (seen == null || newest.header.height > seen.header.height) {
      const { signers, validators } = client.signersOf(newest)
      const view = { height: newest.header.height, hash: toHex(headerHash(newest.header)), stateRoot: toHex(newest.header.stateRoot), signers, validators }

      seen = newest
      count++
      await remember(light, dataDir)
      out.line(`${pc.green('✓')} height ${view.height}, header ${short(view.hash)}, state ${short(view.stateRoot)}, signed by ${signers} of ${validators}`)
      out.result(view)
    } else {
      await delay(FOLLOW_MS, undefined, { signal }).catch(() => {})
    }
  }
}
