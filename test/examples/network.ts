import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { api, client } from '../../src/api/index.ts'
import { accountToString } from '../../src/identity/index.ts'
import { readTask } from '../../src/ledger/index.ts'
import { defaultConfig, newGenesis, openKeychain, openNode, shippedBase, validatorInfo, writeConfig, writeGenesis, writeWhole } from '../../src/node/index.ts'
import { fromHex } from '../../src/wire/index.ts'
import type { NodeClient } from '../../src/api/index.ts'
import type { BaseView, TaskView, TrainingView } from '../../src/interface/index.ts'
import type { DatanetNode } from '../../src/node/index.ts'

const OPEN = 10n ** 18n

const SENTENCE = 'Fellow citizens, the state of our union is sound, its credit is good, and its people are at work'

/** A network of one node that validates, assesses and serves, with its API. */
export interface Network {
  dataDir: string
  node: DatanetNode
  http: NodeClient
  account: string
  stop (): Promise<void>
}

export async function startNetwork (): Promise<Network> {
  const dataDir = await mkdtemp(join(tmpdir(), 'datanet-examples-'))

  await mkdir(dataDir, { recursive: true })
  const keychain = await openKeychain(dataDir)
  const { account } = await keychain.create(defaultConfig.account)
  const base = await shippedBase()

  await writeGenesis(dataDir, newGenesis({
    chain: 'examples',
    validators: [validatorInfo(keychain, account, 1_000n * OPEN)],
    balances: [{ account, amount: 10_000n * OPEN }],
    treasury: (await keychain.create('treasury')).account,
    bases: [{ base: base.cid, developer: account }],
    params: { epochBlocks: 8, challengeBlocks: 1 }
  }))
  await writeConfig(dataDir, { ...defaultConfig, roles: ['validator', 'assessor', 'gateway'], api: { host: '127.0.0.1', port: 0 }, threads: 1 })

  const node = await openNode({ dataDir })
  const token = 'of a test'
  const server = api({ host: '127.0.0.1', port: 0, token })(node)

  await node.start()
  await server.start()
  await writeWhole(join(dataDir, 'api.json'), JSON.stringify({ url: server.url, token }))

  return {
    dataDir,
    node,
    http: client({ url: server.url, token }),
    account: accountToString(account),
    async stop () {
      await server.stop()
      await node.stop()
      await rm(dataDir, { recursive: true, force: true })
    }
  }
}

/**
 * Stakes, contributes a few rows and fine-tunes an adapter on them, as small as may be: with fewer
 * steps the rows may harm an answer as well as help it, and harm is not paid.
 */
export async function publishAdapter ({ node, http }: Network): Promise<void> {
  const rows = Array.from({ length: 12 }, (_, i) => JSON.stringify({ text: `${SENTENCE} in the year ${1790 + i}, of which ${i + 2} states have told in ${i * 7 + 3} reports to this house.` }))

  await http.post('/api/v1/wallet/stake', { amount: (200n * OPEN).toString() })
  const { datanet } = await http.post<{ datanet: string }>('/api/v1/datanets', {
    name: 'addresses',
    title: 'Addresses',
    description: 'Made up.',
    licence: 'CC0-1.0',
    fields: [{ name: 'text', type: 'string', required: true }],
    textField: 'text',
    admission: { duplicatesPermilleMax: 1_000, qualityPermilleMin: 0 }
  })

  await http.upload(`/api/v1/contributions?${new URLSearchParams({ datanet, title: 'Twelve addresses', format: 'jsonl' }).toString()}`, new TextEncoder().encode(rows.join('\n')))
  await node.chain.waitFor(() => node.datanets.contributions().some(({ state }) => state.status === 'admitted'))

  const [{ base }] = await http.get<BaseView[]>('/api/v1/bases')
  const { id } = await http.post<TrainingView>('/api/v1/trainings', { name: 'addresses', base, datanets: [datanet], preset: 'quick', steps: 16 })

  await node.chain.waitFor(() => ['done', 'failed'].includes(node.trainings.get(id).state))

  const { state, error } = node.trainings.get(id)

  if (state !== 'done') {
    throw new RangeError(`the training is ${state}: ${error?.message}`)
  }
}

/** Redeems what was paid and waits until a contribution has its pay. */
export async function settle ({ node, http }: Network): Promise<TaskView> {
  await http.post('/api/v1/gateway/redeem', {})

  const task = (await http.get<TaskView[]>('/api/v1/tasks'))[0]

  await node.chain.waitFor(state => readTask(state, fromHex(task.task))?.phase === 'settled' && (readTask(state, fromHex(task.task))?.paid ?? 0n) > 0n)

  return task
}
