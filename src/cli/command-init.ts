import { Command, InvalidArgumentError, Option } from 'commander'
import { API_PORT } from '../client/index.ts'
import { cid, collect, name, port } from './arguments.ts'
import { contextOf, examples } from './context.ts'
import type { InitOptions } from './run-init.ts'

/** `datanet init`: keys, configuration and genesis of one node. */
export function initCommand (): Command {
  const command = new Command('init')
    .description('make the data directory of a node: keys, configuration, and the chain it is on')
    .option('--name <name>', 'name of the node, for people: lower case, digits and -', name)
    .option('--genesis <file>', 'join the network of this genesis; default: a new private network of this node alone')
    .option('--bootstrap <multiaddr>', 'a peer to join by; repeat for more', collect, [])
    .addOption(new Option('--role <role>', 'what it does; repeat for more').choices(roles).argParser(role).default([], 'all but contributor alone, contributor in a network that exists'))
    .option('--listen <multiaddr>', 'where peers reach it', '/ip4/127.0.0.1/tcp/0')
    .option('--api-port <port>', 'port of its API and page on 127.0.0.1, 0 for any', port, API_PORT)
    .option('--base <cid>', 'the base model of a new private network, see `datanet model import`; default: the one that comes along', cid)
    .action(async (options: InitOptions, self: Command) => {
      const { initialise } = await import('./run-init.ts')

      await initialise(contextOf(self), options)
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
