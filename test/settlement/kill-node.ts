/**
 * The only validator of a chain in a process of its own. Submits one transfer and says so when it
 * is acknowledged: `acknowledged <id>`. With `--wait <id>…` it waits for these instead: `final <ok>…`.
 */
import { CID } from 'multiformats/cid'
import { alice, bob, genesisOf, swarm } from './fixtures.ts'

const [, , folder, mode, ...ids] = process.argv
const node = await swarm().node({ validator: 0, folder, init: { genesis: genesisOf(1), snapshotBlocks: 4 } })

if (mode === '--wait') {
  const results = await Promise.all(ids.map(async id => node.chain.finalised(CID.parse(id), { signal: AbortSignal.timeout(20_000) })))
  process.stdout.write(`final ${results.map(({ ok }) => ok).join(' ')}\n`)
  await node.stop()
} else {
  const acknowledged = await node.chain.sendNow({ kind: 'transfer', to: bob.account, amount: 1n }, alice)
  process.stdout.write(`acknowledged ${acknowledged.toString()}\n`)
}
