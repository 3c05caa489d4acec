import { NodeUnreachableError } from '../client/index.ts'
import { importSigningFile, readBounded, readSigningFile, writeWhole } from '../node/index.ts'
import { exitCodes, SIGNING_FILE_BYTES_MAX } from './constants.ts'
import { CommandError } from './errors.ts'
import type { Context } from './context.ts'

/** Writes to a file how far this validator has signed. */
export async function exportHistory (context: Context, file: string): Promise<void> {
  await requireStopped(context)
  const history = await readSigningFile(context.options.dataDir)

  await writeWhole(file, `${JSON.stringify(history, null, 2)}\n`)
  context.out.line(`signed up to view ${history.view} of era ${history.era}: ${file}`)
  context.out.result(history)
}

/** Has this validator sign nothing at or below what a file says. */
export async function importHistory (context: Context, file: string): Promise<void> {
  await requireStopped(context)
  const history = await importSigningFile(context.options.dataDir, parsed(file, await readBounded(file, SIGNING_FILE_BYTES_MAX, 'export it with `datanet validator history export`')))

  context.out.line(`this node signs nothing up to view ${history.view} of era ${history.era}`)
  context.out.result(history)
}

/** A signing history that is copied from a node that runs is too old at once. */
async function requireStopped ({ node, next, signal }: Context): Promise<void> {
  const running = await node().then(async client => client.get('/api/v1/status', { signal })).then(() => true, (error: unknown) => {
    if (error instanceof NodeUnreachableError) {
      return false
    }
    throw error
  })

  if (running) {
    throw new CommandError('ERR_NODE_RUNS', 'expected a node that is stopped: while it runs, every block makes the history longer', { hint: `stop it, then repeat: ${next('validator history --help')}` })
  }
}

function parsed (file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CommandError('ERR_FILE', `${file} is not JSON`, { exitCode: exitCodes.usage, cause, hint: 'export it with `datanet validator history export`' })
  }
}
