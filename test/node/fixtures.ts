import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { api, client } from '../../src/api/index.ts'
import { defaultConfig, newGenesis, openKeychain, openNode, shippedBase, validatorInfo, writeConfig, writeGenesis } from '../../src/node/index.ts'
import type { Api, ApiInit, NodeClient } from '../../src/api/index.ts'
import type { NetworkParams } from '../../src/interface/index.ts'
import type { DatanetNode, NodeConfig } from '../../src/node/index.ts'

export const OPEN = 10n ** 18n
export const TOKEN = 'a token that only the tests know'

const folders: string[] = []

export async function temporary (): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'datanet-node-'))

  folders.push(folder)

  return folder
}

export async function cleanTemporary (): Promise<void> {
  await Promise.all(folders.splice(0).map(async folder => rm(folder, { recursive: true, force: true })))
}

export interface RunningNode {
  dataDir: string
  node: DatanetNode
  server: Api
  http: NodeClient
  stop (): Promise<void>
}

/** Data directories of a validator that does everything and of contributors, all on one private chain. */
export async function dataDirs (contributors: number, params: Partial<NetworkParams> = {}): Promise<string[]> {
  const all = await Promise.all(Array.from({ length: contributors + 1 }, temporary))
  const keychains = await Promise.all(all.map(async dataDir => openKeychain(dataDir)))
  const accounts = await Promise.all(keychains.map(async keychain => (await keychain.create('main')).account))
  const { cid } = await shippedBase()
  const genesis = newGenesis({
    chain: 'node-tests',
    validators: [validatorInfo(keychains[0], accounts[0], 1_000_000n * OPEN)],
    balances: accounts.map(account => ({ account, amount: 10_000n * OPEN })),
    treasury: (await keychains[0].create('treasury')).account,
    bases: [{ base: cid, developer: accounts[0] }],
    params: { feePerByte: 0n, ...params }
  })

  for (const [i, dataDir] of all.entries()) {
    const roles: NodeConfig['roles'] = i === 0 ? ['validator', 'assessor', 'gateway'] : ['contributor']

    await writeGenesis(dataDir, genesis)
    await writeConfig(dataDir, { ...defaultConfig, name: `node-${i}`, roles, threads: 1 })
  }

  return all
}

/** A node with its HTTP interface on a free port. */
export async function run (dataDir: string, bootstrap: string[] = [], init: Partial<ApiInit> = {}): Promise<RunningNode> {
  const node = await openNode({ dataDir, bootstrap })

  await node.start()

  const server = api({ host: '127.0.0.1', port: 0, token: TOKEN, ...init })(node)

  await server.start()

  return {
    dataDir,
    node,
    server,
    http: client({ url: server.url, token: TOKEN }),
    stop: async () => {
      await server.stop()
      await node.stop()
    }
  }
}
