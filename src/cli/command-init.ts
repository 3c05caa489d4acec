import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { CID } from 'multiformats/cid'
import { accountToString } from '../identity/index.ts'
import { checkConfig, defaultConfig, newGenesis, openKeychain, privateParams, shippedBase, validatorInfo, writeConfig, writeGenesis } from '../node/index.ts'
import { genesisCodec } from '../wire/index.ts'
import { cid, collect, name, port } from './arguments.ts'
import { exitCodes } from './constants.ts'
import { contextOf, examples } from './context.ts'
import { CommandError } from './errors.ts'
import type { Genesis } from '../interface/index.ts'
import type { Keychain, NodeConfig } from '../node/index.ts'

interface InitOptions {
  name?: string
  genesis?: string
  bootstrap: string[]
  role: string[]
  listen?: string
  apiPort: number
  base?: string
}

/** `datanet init`: keys, configuration and genesis of one node. */
export function initCommand (): Command {
  const command = new Command('init')
    .description('make the data directory of a node: keys, configuration, and the chain it is on')
    .option('--name <name>', 'name of the node, for people: lower case, digits and -', name)
    .option('--genesis <file>', 'join the network of this genesis; default: a new private network of this node alone')
    .option('--bootstrap <multiaddr>', 'a peer to join by; repeat for more', collect, [])
    .addOption(new Option('--role <role>', 'what it does; repeat for more').choices(roles).argParser(role).default([], 'all but contributor alone, contributor in a network that exists'))
    .option('--listen <multiaddr>', 'where peers reach it', '/ip4/127.0.0.1/tcp/0')
    .option('--api-port <port>', 'port of its API and page on 127.0.0.1, 0 for any', port, defaultConfig.api.port)
    .option('--base <cid>', 'the base model of a new private network, see `datanet model import`; default: the one that comes along', cid)
    .action(async (options: InitOptions, self: Command) => {
      const { out, next, options: { dataDir } } = contextOf(self)

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
    })

  return examples(command, [
    'datanet init',
    'datanet init --genesis network.cbor --bootstrap /ip4/192.0.2.7/tcp/4001/p2p/12D3… --role assessor',
    'datanet --data-dir ./alice init --api-port 0'
  ])
}

const roles = ['validator', 'assessor', 'gateway', 'contributor']

function role (value: string, all: string[]): string[] {
  if (!roles.includes(value)) {
    throw new InvalidArgumentError(`Allowed choices are ${roles.join(', ')}.`)
  }

  return [...all, value]
}

async function readGenesisFile (path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    throw new CommandError('ERR_FILE', `the genesis ${path} cannot be read`, { exitCode: exitCodes.usage, cause })
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
