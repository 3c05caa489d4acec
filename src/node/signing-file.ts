import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseSigningHistory } from '../settlement/index.ts'
import { readBounded, writeWhole } from './config.ts'
import { CONFIG_BYTES_MAX } from './constants.ts'
import { ConfigError } from './errors.ts'
import type { Startable } from '../interface/index.ts'
import type { Chain, SigningHistory } from '../settlement/index.ts'

/** How far this validator has signed; belongs beside the keys in every backup. */
export const SIGNING_FILE = 'signing-history.json'

/**
 * Writes a validator's signing history when the node stops, and gives it to the chain before it
 * starts: put back beside a restored or empty disk, it keeps the validator from signing twice.
 * Starts before the chain and stops after it.
 *
 * @param dataDir - where the file is
 */
export function signingFile (dataDir: string): (components: { chain: Pick<Chain, 'signingHistory' | 'importSigningHistory'> }) => Startable {
  return ({ chain }) => {
    const path = join(dataDir, SIGNING_FILE)

    return {
      async start () {
        const text = await readBounded(path, CONFIG_BYTES_MAX, 'it is written when a validator stops').catch(() => undefined)

        if (text === undefined) {
          return
        }

        await chain.importSigningHistory(fromText(text, path))
      },
      async stop () {
        await writeWhole(path, `${JSON.stringify(await chain.signingHistory(), null, 2)}\n`)
      }
    }
  }
}

/**
 * What a validator that is stopped has written.
 *
 * @throws {ConfigError | SigningHistoryError}
 */
export async function readSigningFile (dataDir: string): Promise<SigningHistory> {
  const path = join(dataDir, SIGNING_FILE)

  return parseSigningHistory(fromText(await readBounded(path, CONFIG_BYTES_MAX, 'it is written when a validator stops'), path))
}

/**
 * Puts a history where the node finds it when it starts; of two the one that goes further stays.
 *
 * @param dataDir - of a node that is stopped
 * @param value - parsed JSON of another node's file
 * @returns what is there now
 * @throws {ConfigError | SigningHistoryError} also if it is of another validator or chain than what is there
 */
export async function importSigningFile (dataDir: string, value: unknown): Promise<SigningHistory> {
  const history = parseSigningHistory(value)
  // a damaged file is an error: it may have gone further
  const known = existsSync(join(dataDir, SIGNING_FILE)) ? await readSigningFile(dataDir) : undefined

  if (known !== undefined && (known.account !== history.account || known.genesis !== history.genesis)) {
    throw new ConfigError(`expected the history of ${known.account} on ${known.chain}, which this folder has, but got that of ${history.account} on ${history.chain}`, { hint: 'choose the folder of the validator that moved with --data-dir' })
  }

  const further = known !== undefined && (known.era > history.era || (known.era === history.era && known.view > history.view)) ? known : history

  await writeWhole(join(dataDir, SIGNING_FILE), `${JSON.stringify(further, null, 2)}\n`)

  return further
}

function fromText (text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ConfigError(`${path} is not JSON`, { cause, hint: 'put the newest copy back, or move it away if this disk was never restored' })
  }
}
