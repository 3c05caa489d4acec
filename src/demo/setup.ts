import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { deriveSeed, ed25519Signer } from '../identity/index.ts'
import { defaultConfig, newGenesis, openKeychain, shippedBase, validatorInfo, writeConfig, writeGenesis } from '../node/index.ts'
import { BALANCES, CHAIN, DEMO_PARAMS, DEMO_SECRET, SPEECHES, VALIDATORS } from './constants.ts'
import type { Account, Genesis } from '../interface/index.ts'
import type { Keychain, NodeConfig } from '../node/index.ts'

export interface Member {
  name: string
  roles: NodeConfig['roles']
  /** accounts of its keychain beside its own */
  accounts: string[]
}

/** Who is in the swarm, in the order of starting. The light client is a process beside them. */
export const members: Member[] = [
  ...VALIDATORS.map((name): Member => ({ name, roles: ['validator', 'assessor'], accounts: [] })),
  { name: 'gateway', roles: ['gateway'], accounts: [] },
  ...['alice', 'bob'].map((name): Member => ({
    name,
    roles: ['contributor'],
    accounts: SPEECHES.filter(speech => speech.node === name).map(speech => speech.president)
  })),
  { name: 'studio', roles: [], accounts: ['developer', 'customer'] }
]

const seedOf = (purpose: string): Uint8Array => deriveSeed(DEMO_SECRET, purpose)

/** The account of a name in the demo; the same in every run. */
export function demoAccount (name: string): Account {
  return ed25519Signer(seedOf(`account/${name}`)).account
}

export const memberDir = (dataDir: string, name: string): string => join(dataDir, name)

/** Makes the data directories of all members, unless they are there from an earlier run. */
export async function prepare (dataDir: string, studioPort: number): Promise<Genesis> {
  const keychains = new Map<string, Keychain>()

  for (const { name, accounts } of members) {
    const folder = memberDir(dataDir, name)

    await mkdir(folder, { recursive: true })
    const keychain = await openKeychain(folder, { secret: seedOf(`node/${name}`) })

    for (const account of [name, ...accounts]) {
      await keychain.create(account, seedOf(`account/${account}`))
    }

    keychains.set(name, keychain)
  }

  const genesis = await demoGenesis(keychains)

  for (const { name, roles } of [...members, { name: 'light', roles: ['light' as const] }]) {
    const folder = memberDir(dataDir, name)

    await writeGenesis(folder, genesis)

    if (!existsSync(join(folder, 'config.json'))) {
      await writeConfig(folder, {
        ...defaultConfig,
        name,
        roles,
        // the page acts as the developer, unless told otherwise
        account: name === 'studio' ? 'developer' : name,
        api: { host: '127.0.0.1', port: name === 'studio' ? studioPort : 0 },
        // assessors recompute side by side, one core each; the studio trains while nobody else computes
        threads: name === 'studio' ? 2 : 1,
        // a column costs two and a half trainings: on one machine's cores one validator computes one
        columnsPerAdapter: name === VALIDATORS[0] ? 1 : 0
      })
    }
  }

  return genesis
}

async function demoGenesis (keychains: Map<string, Keychain>): Promise<Genesis> {
  const base = await shippedBase()

  return newGenesis({
    chain: CHAIN,
    validators: VALIDATORS.map(name => {
      const keychain = keychains.get(name)

      if (keychain == null) {
        throw new RangeError(`no keychain of ${name}`)
      }

      return validatorInfo(keychain, demoAccount(name), BALANCES.validatorStake)
    }),
    balances: [
      ...VALIDATORS.map(name => ({ account: demoAccount(name), amount: BALANCES.validator })),
      ...SPEECHES.map(({ president }) => ({ account: demoAccount(president), amount: BALANCES.contributor })),
      { account: demoAccount('gateway'), amount: BALANCES.gateway },
      { account: demoAccount('developer'), amount: BALANCES.developer },
      { account: demoAccount('customer'), amount: BALANCES.customer }
    ],
    treasury: demoAccount('treasury'),
    bases: [{ base: base.cid, developer: demoAccount('base-lab') }],
    params: DEMO_PARAMS
  })
}
