import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Command } from 'commander'
import { CID } from 'multiformats/cid'
import { NodeUnreachableError } from '../api/index.ts'
import { colours as pc } from '../demo/index.ts'
import { accountFromString, accountToString } from '../identity/index.ts'
import { forkEvidenceCodec, ForkError } from '../light-client/index.ts'
import { lightNode, NoPeerError, readConfig, readGenesis, writeWhole } from '../node/index.ts'
import { fromHex, headerHash, toHex } from '../wire/index.ts'
import { account, checkpoint, cid, collect, integer, taskHash } from './arguments.ts'
import { printWhy } from './command-why.ts'
import { contextOf, examples } from './context.ts'
import { formatOpen, short } from './output.ts'
import type { Context } from './context.ts'
import type { CertifiedHeader, NodeStatus } from '../interface/index.ts'
import type { Checkpoint } from '../light-client/index.ts'
import type { LightNode } from '../node/index.ts'

interface LightOptions {
  bootstrap: string[]
  witness: string[]
  checkpoint?: Checkpoint
  trustingPeriod?: number
}

/** How often a follower asks for a newer header; blocks come about once a second. */
const FOLLOW_MS = 1_000

/** `datanet light`: a light client that believes the genesis and nobody else. */
export function lightCommand (): Command {
  const command = new Command('light')
    .description('a light client: verifies headers, accounts and payouts by proof, without the chain')
    .option('--bootstrap <multiaddr>', 'a peer that has the chain; default: those of config.json, or the node that runs on the data directory', collect, [])
    .option('--witness <multiaddr>', 'another peer that has to confirm each new header; may be repeated', collect, [])
    .option('--checkpoint <height>:<hash>', 'a header that somebody you trust named: begins there instead of at the genesis', checkpoint)
    .option('--trusting-period <seconds>', 'refuse to go on when nothing newer was verified for so long; default: never', integer(1, 1_000_000_000))

  command.addCommand(examples(new Command('follow')
    .description('verify each new header until Ctrl-C')
    .option('--blocks <count>', 'stop after so many headers', integer(1, 1_000_000_000))
    .action(async ({ blocks }: { blocks?: number }, self: Command) => withLight(self, async (light, context) => { await follow(light, context, blocks) })),
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

  return examples(command, ['datanet light follow', 'datanet --data-dir ./alice light account z6Mk…', 'datanet light --checkpoint 1200:5be1… --witness /ip4/…/p2p/12D3…'])
}

async function withLight (self: Command, use: (light: LightNode, context: Context) => Promise<void>): Promise<void> {
  const context = contextOf(self)
  const { options: { dataDir }, signal } = context
  const { bootstrap, checkpoint, trustingPeriod, witness } = self.optsWithGlobals<LightOptions>()
  const light = lightNode({
    genesis: await readGenesis(dataDir),
    bootstrap: bootstrap.length > 0 ? bootstrap : await knownPeers(context),
    checkpoint,
    witnesses: witness,
    // what somebody gave to us now counts from now on
    trusting: trustingPeriod === undefined ? undefined : { since: Date.now(), periodMs: trustingPeriod * 1_000, now: () => Date.now() }
  })

  try {
    await light.start({ signal })
    await use(light, context)
  } catch (err) {
    if (err instanceof ForkError) {
      await keepEvidence(err, context)
    }

    throw err
  } finally {
    await light.stop()
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

async function follow ({ client }: LightNode, { out, signal }: Context, blocks = Infinity): Promise<void> {
  let seen: CertifiedHeader | undefined
  let count = 0

  while (!signal.aborted && count < blocks) {
    const newest = await client.sync({ signal })

    if (seen == null || newest.header.height > seen.header.height) {
      const { signers, validators } = client.signersOf(newest)
      const view = { height: newest.header.height, hash: toHex(headerHash(newest.header)), stateRoot: toHex(newest.header.stateRoot), signers, validators }

      seen = newest
      count++
      out.line(`${pc.green('✓')} height ${view.height}, header ${short(view.hash)}, state ${short(view.stateRoot)}, signed by ${signers} of ${validators}`)
      out.result(view)
    } else {
      await delay(FOLLOW_MS, undefined, { signal }).catch(() => {})
    }
  }
}
