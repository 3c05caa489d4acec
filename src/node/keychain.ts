import { randomBytes } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { NAME_PATTERN } from '../client/index.ts'
import { blsSecretKey, deriveSeed, ed25519Signer } from '../identity/index.ts'
import { fromHex, toHex } from '../wire/index.ts'
import { readBounded, writeWhole } from './config.ts'
import { ACCOUNTS_MAX, CONFIG_BYTES_MAX } from './constants.ts'
import { AccountMissingError, ConfigError } from './errors.ts'
import type { Signer } from '../identity/index.ts'

/**
 * The keys of one node: accounts by name, each a 32-byte Ed25519 seed in a file that only its
 * owner can read. They are not encrypted: who can read the data directory can spend.
 */
export interface Keychain {
  names (): string[]
  /** @throws {AccountMissingError} */
  signer (name: string): Signer
  /**
   * Makes an account, or returns the one of this name.
   *
   * @param name - see NAME_PATTERN
   * @param seed - 32 bytes; random if left out
   */
  create (name: string, seed?: Uint8Array): Promise<Signer>
  /** Something secret that is the same at every start: peer key, BLS key, salts. */
  secret (purpose: string): Uint8Array
  /** The BLS secret key of the node's validator. */
  bls (): Uint8Array
}

interface KeyFile {
  seed: string
}

/** Opens the keychain in `<dataDir>/keys`, creating the node's own secret if there is none. */
export async function openKeychain (dataDir: string, options: { secret?: Uint8Array } = {}): Promise<Keychain> {
  const folder = join(dataDir, 'keys')
  const seeds = new Map<string, Uint8Array>()

  await mkdir(folder, { recursive: true, mode: 0o700 })

  for (const file of (await readdir(folder)).filter(file => file.endsWith('.json')).sort()) {
    seeds.set(file.slice(0, -'.json'.length), await readSeed(join(folder, file)))
  }

  const node = seeds.get(NODE) ?? await writeSeed(folder, NODE, options.secret ?? new Uint8Array(randomBytes(32)))
  seeds.delete(NODE)

  const signers = new Map([...seeds].map(([name, seed]) => [name, ed25519Signer(seed)]))

  return {
    names: () => [...signers.keys()],
    signer (name) {
      const signer = signers.get(name)

      if (signer == null) {
        throw new AccountMissingError(name, [...signers.keys()])
      }

      return signer
    },
    async create (name, seed = new Uint8Array(randomBytes(32))) {
      const known = signers.get(name)

      if (known != null) {
        return known
      }

      if (!NAME_PATTERN.test(name) || name === NODE || signers.size >= ACCOUNTS_MAX) {
        throw new ConfigError(`expected a new account name of at most 48 lower-case letters, digits and dashes (and at most ${ACCOUNTS_MAX} accounts), but got "${name}"`)
      }

      const signer = ed25519Signer(await writeSeed(folder, name, seed))
      signers.set(name, signer)

      return signer
    },
    secret: purpose => deriveSeed(node, purpose),
    bls: () => blsSecretKey(deriveSeed(node, 'bls'))
  }
}

/** The file of the node's own secret; no account may have this name. */
const NODE = '_node'

async function readSeed (path: string): Promise<Uint8Array> {
  const text = await readBounded(path, CONFIG_BYTES_MAX, 'restore it from your backup')

  try {
    const { seed } = JSON.parse(text) as KeyFile
    const bytes = fromHex(seed)

    if (bytes.length === 32) {
      return bytes
    }
  } catch (cause) {
    throw new ConfigError(`${path} should hold a seed of 64 hexadecimal digits but does not`, { cause, hint: 'restore it from your backup' })
  }

  throw new ConfigError(`${path} should hold a seed of 32 bytes but holds another number`, { hint: 'restore it from your backup' })
}

async function writeSeed (folder: string, name: string, seed: Uint8Array): Promise<Uint8Array> {
  await writeWhole(join(folder, `${name}.json`), `${JSON.stringify({ seed: toHex(seed) } satisfies KeyFile)}\n`, 0o600)

  return seed
}
