import { join } from 'node:path'
import { readBounded, writeWhole } from './config.ts'
import { CONFIG_BYTES_MAX } from './constants.ts'
import { ConfigError } from './errors.ts'
import type { Startable } from '../interface/index.ts'
import type { Chain } from '../settlement/index.ts'

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

        let history: unknown

        try {
          history = JSON.parse(text)
        } catch (cause) {
          throw new ConfigError(`${path} is not JSON`, { cause, hint: 'put the newest copy back, or move it away if this disk was never restored' })
        }

        await chain.importSigningHistory(history)
      },
      async stop () {
        await writeWhole(path, `${JSON.stringify(await chain.signingHistory(), null, 2)}\n`)
      }
    }
  }
}
