/**
 * Follows the chain as a light client and finds out why a contribution was paid. The running node
 * only tells whom to ask and about what; everything else that is printed was proven against
 * headers that the validators of the genesis signed.
 *
 *   node examples/verify-a-payout/index.ts --data-dir ~/.datanet/demo/studio
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CID } from 'multiformats/cid'
import { accountFromString } from '../../src/identity/index.ts'
import { lightNode, readGenesis } from '../../src/node/index.ts'
import { fromHex, headerHash, toHex } from '../../src/wire/index.ts'
import type { NodeStatus, TaskView } from '../../src/interface/index.ts'

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string' },
    bootstrap: { type: 'string', multiple: true },
    task: { type: 'string' },
    contribution: { type: 'string' },
    headers: { type: 'string', default: '2' }
  }
})

function fail (message: string, code: number): never {
  console.error(message)
  process.exit(code)
}

const dataDir = values['data-dir'] ?? fail('expected --data-dir <data directory of a running node>; `npm start` starts a network and prints one', 2)
const path = join(dataDir, 'api.json')
const { url, token } = await readFile(path, 'utf8').then(JSON.parse, () => fail(`expected the address of a running node in ${path}: start the node first`, 2))

async function hint<T> (path: string): Promise<T> {
  const response = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(30_000) })
    .catch((err: Error) => fail(`no node answers at ${url}: ${err.message}`, 1))

  return await response.json() as T
}

/** The newest payout to a contribution that the node knows of. */
async function newestPayout (): Promise<{ task: string, contribution: string }> {
  const tasks = await hint<TaskView[]>('/api/v1/tasks')
  const paid = tasks.toSorted((a, b) => b.epoch - a.epoch).flatMap(({ task, payouts }) =>
    payouts.flatMap(({ contribution }) => contribution == null ? [] : [{ task, contribution }]))

  return paid[0] ?? fail('nothing was paid on this network yet: ask something and wait until its epoch is settled', 1)
}

const { task, contribution } = values.task != null && values.contribution != null
  ? { task: values.task, contribution: values.contribution }
  : await newestPayout()
const bootstrap = values.bootstrap ?? (await hint<NodeStatus>('/api/v1/status')).peers.map(({ address }) => address)

if (bootstrap.length === 0) {
  fail('this node has no peers to ask: name one by --bootstrap <multiaddr>; nodes print theirs when they start', 1)
}

// from here on nobody is believed but the genesis
const light = lightNode({ genesis: await readGenesis(dataDir), bootstrap })
const signal = AbortSignal.timeout(120_000)

try {
  await light.start({ signal })

  const { client } = light

  console.info('headers')
  for (let seen = -1, left = Number(values.headers); left > 0;) {
    const certified = await client.sync({ signal })

    if (certified.header.height > seen) {
      const { signers, validators } = client.signersOf(certified)

      seen = certified.header.height
      left--
      console.info(`  ${seen}  ${toHex(headerHash(certified.header)).slice(0, 16)}…  signed by ${signers} of ${validators} validators`)
    } else {
      await new Promise(resolve => { setTimeout(resolve, 500) })
    }
  }

  const why = await client.why(fromHex(task), CID.parse(contribution), { signal })
  const { value: account } = await client.account(accountFromString(why.contributor), { signal })

  console.info(`\nbalance\n  ${why.contributor} has ${account?.balance ?? 0n} base units of OPEN`)
  console.info(`\nwhy was ${why.title} paid ${why.amount} base units?`)
  why.steps.forEach(({ title, detail, verified }) => { console.info(`  ${verified ? '✓' : '✗'} ${title}: ${detail}`) })

  process.exitCode = why.steps.every(({ verified }) => verified) ? 0 : 1
} catch (err) {
  const { code = 'ERR_UNREACHABLE', message } = err as Error & { code?: string }

  console.error(`${code}: ${message}`)
  process.exitCode = 1
} finally {
  await light.stop()
}
