import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import { accountToString } from '../identity/index.ts'
import { checkConfig, defaultConfig, newGenesis, openKeychain, privateParams, shippedBase, validatorInfo, writeConfig, writeGenesis } from '../node/index.ts'
import { genesisCodec } from '../wire/index.ts'
import { CommandError, fileError } from './errors.ts'
import type { Context } from './context.ts'
import type { Genesis } from '../interface/index.ts'
import type { Keychain, NodeConfig } from '../node/index.ts'

/** Of `datanet init`. */
export interface InitOptions {
  name?: string
  genesis?: string
  bootstrap: string[]
  role: string[]
  listen?: string
  apiPort: number
  base?: string
}

/** Makes keys, configuration and genesis of one node. */
export async function initialise ({ out, next, options: { dataDir } }: Context, options: InitOptions): Promise<void> {
  if (existsSync(join(dataDir, 'config.json'))) {
    throw new CommandError('ERR_EXISTS', `${dataDir} is the data directory of a node already`, { hint: 'start it with `datanet start`, or name another folder with --data-dir' })
  }

  // before anything is written: a wrong name leaves no half of a node
  const config = checkConfig(configOf(options, options.genesis == null), 'the options')
  const genesisGiven = options.genesis == null ? undefined : genesisCodec.decode(new Uint8Array(await readGenesisFile(options.genesis)))
  const keychain = await openKeychain(dataDir)
  const signer = await keychain.create(defaultConfig.account)
  const genesis = genesisGiven ?? await privateGenesis(keychain, signer.account, options.base == null ? undefined : CID.parse(options.base))

  await writeGenesis(dataDir, genesis)
  await writeConfig(dataDir, config)

  const account = accountToString(signer.account)
  out.line(`a node of chain ${genesis.chain} is ready in ${dataDir}`)
  out.line(`its account is ${account}; whoever can read ${join(dataDir, 'keys')} can spend from it`)

  if (genesisGiven == null) {
    out.line(`a private network: others join it with a copy of ${join(dataDir, 'genesis.cbor')} and the address that start prints`)
  }

  out.line(`start it with: ${next('start')}`)
  out.result({ dataDir, chain: genesis.chain, account })
}

async function readGenesisFile (path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    throw fileError(path, cause)
  })
}

function configOf ({ name: named, bootstrap, role, listen, apiPort }: InitOptions, alone: boolean): NodeConfig {
  const usual = alone ? ['validator', 'assessor', 'gateway'] : ['contributor']

  return {
    ...defaultConfig,
    name: named ?? defaultConfig.name,
    roles: (role.length > 0 ? role : usual) as NodeConfig['roles'],
    listen: listen == null ? defaultConfig.listen : [listen],
    bootstrap,
    api: { ...defaultConfig.api, port: apiPort }
  }
}

/** A network of one: the node validates, assesses and serves for itself. */
async function privateGenesis (keychain: Keychain, account: Uint8Array, base?: CID): Promise<Genesis> {
  const OPEN = 10n ** 18n
  return newGenesis({
    chain: `private-${accountToString(account).slice(-12).toLowerCase()}`,
    validators: [validatorInfo(keychain, account, 1_000_000n * OPEN)],
    balances: [{ account, amount: 10_000_000n * OPEN }],
    treasury: (await keychain.create('treasury')).account,
    bases: [{ base: base ?? (await shippedBase()).cid, developer: account }],
    params: privateParams
  })
}
