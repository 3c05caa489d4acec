import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Machines of their own on one Ethernet, which can be cut in two; see `ip-netns(8)`. */
export interface Ethernet {
  /** the namespace of a machine */
  namespaceOf (machine: number): string
  /** its address, the same for as long as the Ethernet is there */
  hostOf (machine: number): string
  /** From now on these machines reach only each other, and the others only each other. */
  cut (machines: number[]): Promise<void>
  /** Everybody reaches everybody again. */
  heal (): Promise<void>
  /** Takes all of it away. Processes in it have to be gone. */
  remove (): Promise<void>
}

/** Two bridges in a namespace of their own: a partition moves a machine's cable from one to the other. */
const BRIDGES = ['left', 'right'] as const

const lay = async (namespaces: string[], hub: string, hostOf: (machine: number) => string): Promise<void> => {
  await run('ip', ['netns', 'add', hub])

  for (const bridge of BRIDGES) {
    await run('ip', ['-n', hub, 'link', 'add', bridge, 'type', 'bridge'])
    await run('ip', ['-n', hub, 'link', 'set', bridge, 'up'])
  }

  for (const [machine, namespace] of namespaces.entries()) {
    await run('ip', ['netns', 'add', namespace])
    await run('ip', ['link', 'add', `port${machine}`, 'netns', hub, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace])
    await run('ip', ['-n', hub, 'link', 'set', `port${machine}`, 'master', BRIDGES[0], 'up'])
    await run('ip', ['-n', namespace, 'link', 'set', 'lo', 'up'])
    await run('ip', ['-n', namespace, 'addr', 'add', `${hostOf(machine)}/24`, 'dev', 'eth0'])
    await run('ip', ['-n', namespace, 'link', 'set', 'eth0', 'up'])
  }
}

/**
 * Lays an Ethernet between so many machines, all in namespaces that carry this process's id. Nothing
 * of it touches the network of the machine that the test runs on.
 *
 * @returns why it cannot be done here, if it cannot: it takes root and iproute2
 */
export const ethernet = async (machines: number): Promise<Ethernet | string> => {
  const hub = `datanet-${process.pid}-hub`
  const namespaces = Array.from({ length: machines }, (_, machine) => `datanet-${process.pid}-${machine}`)
  const hostOf = (machine: number): string => `10.77.0.${machine + 1}`
  const plug = async (machine: number, bridge: typeof BRIDGES[number]): Promise<void> => {
    await run('ip', ['-n', hub, 'link', 'set', `port${machine}`, 'master', bridge])
  }
  const remove = async (): Promise<void> => {
    // a veth goes with either of its ends, a bridge with its namespace
    await Promise.allSettled([...namespaces, hub].map(async namespace => run('ip', ['netns', 'del', namespace])))
  }

  try {
    await lay(namespaces, hub, hostOf)
  } catch (err) {
    await remove()

    return `no network namespaces here (they take root and iproute2): ${err instanceof Error ? err.message.split('\n')[0] : String(err)}`
  }

  return {
    namespaceOf: machine => namespaces[machine],
    hostOf,
    cut: async apart => {
      await Promise.all(apart.map(async machine => plug(machine, 'right')))
    },
    heal: async () => {
      await Promise.all(namespaces.map(async (_, machine) => plug(machine, 'left')))
    },
    remove
  }
}
