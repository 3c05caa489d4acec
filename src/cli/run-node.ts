import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { api } from '../api/index.ts'
import { listDatanets } from '../ledger/index.ts'
import { openNode, writeWhole } from '../node/index.ts'
import { CommandError } from './errors.ts'
import { short } from './output.ts'
import type { Context } from './context.ts'
import type { Output } from './output.ts'
import type { ApiAddress } from '../client/index.ts'
import type { NodeEvent } from '../interface/index.ts'
import type { DatanetNode } from '../node/index.ts'

/** Runs one node until Ctrl-C. */
export async function runNode ({ options: { dataDir }, out, signal, next }: Context, { apiPort, bootstrap, keepEpochs }: { apiPort?: number, bootstrap: string[], keepEpochs?: number }): Promise<void> {
  const node = await openNode({ dataDir, bootstrap, keepEpochs })
  const token = Buffer.from(randomBytes(24)).toString('base64url')
  const server = api({ ...node.config.api, port: apiPort ?? node.config.api.port, token })(node)
  const address = join(dataDir, 'api.json')
  let isRunning = false

  try {
    const tell = log(out)

    node.events.addEventListener('event', ({ detail }) => { tell(detail) })
    await node.start({ signal })
    // from here on the data directory is ours: another node's api.json is not touched
    isRunning = true
    await server.start().catch(portTaken)
    await writeWhole(address, `${JSON.stringify({ url: server.url, token } satisfies ApiAddress)}\n`, 0o600)

    out.line(`${node.config.name} runs on chain ${node.chain.id} as ${node.network.peerId.toString()}`)
    node.network.addresses().forEach(multiaddr => { out.line(`  peers reach it at ${multiaddr.toString()}`) })
    out.line(`  page and API: ${server.url}/#token=${token}`)

    if ([...listDatanets(node.chain.state())].length === 0) {
      out.line(`begin, in another terminal, with: ${next('create notes --title "My notes" --licence CC0-1.0')}`)
    }

    out.line('stop it with Ctrl-C')
    process.send?.({ type: 'ready', url: server.url, token, addresses: node.network.addresses().map(String) })

    await Promise.race([aborted(signal), halted(node)])
  } finally {
    if (isRunning) {
      await rm(address, { force: true })
      await server.stop()
      await node.stop()
      out.line('stopped; all that was acknowledged is on disk')
    }
  }
}

function portTaken (cause: NodeJS.ErrnoException & { port?: number }): never {
  if (cause.code !== 'EADDRINUSE') {
    throw cause
  }

  throw new CommandError('ERR_PORT', `port ${cause.port ?? ''} of the API and page is taken by another program`, {
    cause, hint: 'free it, or start with --api-port 0 for any other'
  })
}

async function aborted (signal: AbortSignal): Promise<void> {
  if (!signal.aborted) {
    await new Promise<void>(resolve => {
      signal.addEventListener('abort', () => { resolve() }, { once: true })
    })
  }
}

/** A certified block that does not execute here: going on would be another chain. */
async function halted ({ chain }: DatanetNode): Promise<never> {
  return new Promise((_resolve, reject) => {
    chain.addEventListener('halt', ({ detail }) => { reject(detail) }, { once: true })
  })
}

/** What a person who looks at the log wants to know; everything else is on the event stream. */
function log (out: Output): (event: NodeEvent) => void {
  // a block that moves a task on tells it for the task and for each seat
  let last = ''

  const once = (level: string, text: string): void => {
    if (text !== last) {
      last = text
      out.line(`${new Date().toISOString()} ${level} ${text}`)
    }
  }

  return event => {
    if (event.type === 'log') {
      once(event.level, event.message)
    } else if (event.type === 'task') {
      const { task, phase, epoch, seats } = event.task
      const seen = seats.map(({ state, fault }) => fault ?? state).join(', ')

      once('info', `task ${short(task)} of epoch ${epoch}: ${phase}, ${seen === '' ? 'no committee yet' : `seats ${seen}`}`)
    }
  }
}
