/**
 * One validator in a process of its own. Arguments: index, number of validators, data folder, address
 * to listen on, address of another one or nothing. Says `ready <address>`, then answers one line for each line:
 *
 * - `send <n> [<name>]`: n transfers of 1 from alice, or another one, to bob or, if that is bob, to alice; `acknowledged <id>…` once all are journaled
 * - `final <id>…`: waits for them; `final <height>…`, or `failed`
 * - `height <h>`: waits for it; `hash <height> <hash of its header>`
 * - `status`: `status <height> <view>`
 * - `still <ms>`: `still` if for so long at most one more block is final, or `moving`
 */
import { mkdir } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Level } from 'level'
import { CID } from 'multiformats/cid'
import { network } from '../../src/gossip/index.ts'
import { chain } from '../../src/settlement/index.ts'
import { headerHash, toHex } from '../../src/wire/index.ts'
import { alice, bob, carol, genesisOf, validatorBls, validatorSigner } from '../settlement/fixtures.ts'

const [, , indexText, countText, folder, listen, bootstrap] = process.argv
const index = Number(indexText)
const signal = (): AbortSignal => AbortSignal.timeout(45_000)

await mkdir(folder, { recursive: true })
const db = new Level(folder)
await db.open()
const net = network({
  privateKeySeed: new Uint8Array(32).fill(index + 1),
  listen: [listen],
  bootstrap: bootstrap === undefined ? [] : [bootstrap]
})()
const ledger = chain({
  genesis: genesisOf(Number(countText)),
  blsSecretKey: validatorBls(index),
  signer: validatorSigner(index),
  snapshotBlocks: 8,
  fastSyncBlocks: 16
})({ network: net, db })

ledger.serveQueries()
await net.start()
await ledger.start()

const accounts = new Map([['alice', alice], ['bob', bob], ['carol', carol]])

const answer = async (line: string): Promise<string> => {
  const [word, ...rest] = line.split(' ')

  switch (word) {
    case 'send': {
      const from = accounts.get(rest[1]) ?? alice
      const to = from === bob ? alice : bob
      const ids: CID[] = []

      for (let i = 0; i < Number(rest[0]); i++) {
        ids.push(await ledger.sendNow({ kind: 'transfer', to: to.account, amount: 1n }, from))
      }

      return `acknowledged ${ids.join(' ')}`
    }
    case 'final': {
      const results = await Promise.all(rest.map(async id => ledger.finalised(CID.parse(id), { signal: signal() })))

      return results.every(({ ok }) => ok) ? `final ${results.map(({ height }) => height).join(' ')}` : 'failed'
    }
    case 'height': {
      await ledger.waitFor((_, at) => at >= Number(rest[0]), { signal: signal() })
      const height = Number(rest[0])

      return `hash ${height} ${toHex(headerHash(await ledger.header(height)))}`
    }
    case 'reach':
      // whoever comes by a snapshot has not got the very block
      await ledger.waitFor((_, at) => at >= Number(rest[0]), { signal: signal() })
      return `reached ${ledger.height}`
    case 'still': {
      const above = ledger.height + 1
      const moving = ledger.waitFor((_, at) => at > above, { signal: AbortSignal.timeout(Number(rest[0])) })

      return moving.then(() => 'moving', () => 'still')
    }
    default:
      return `status ${ledger.height} ${ledger.view}`
  }
}

createInterface({ input: process.stdin }).on('line', line => {
  answer(line).then(said => { process.stdout.write(`${said}\n`) }, (error: unknown) => { process.stdout.write(`error ${String(error).replaceAll('\n', ' ')}\n`) })
}).on('close', () => { process.exit() })

process.stdout.write(`ready ${net.addresses().map(String)[0]}\n`)
