import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { API_PORT, NAME_PATTERN } from '../client/index.ts'
import { CONFIG_BYTES_MAX } from './constants.ts'
import { ConfigError, DataDirError } from './errors.ts'
import type { Static } from '@sinclair/typebox'

const nodeConfig = Type.Object({
  /** for people and logs; peers know the node by its key */
  name: Type.String({ pattern: NAME_PATTERN.source }),
  roles: Type.Array(Type.Union([
    Type.Literal('validator'),
    Type.Literal('assessor'),
    Type.Literal('gateway'),
    Type.Literal('contributor'),
    Type.Literal('light')
  ]), { maxItems: 5 }),
  /** multiaddrs to listen on */
  listen: Type.Array(Type.String({ maxLength: 256 }), { maxItems: 8 }),
  /** multiaddrs of peers to join by */
  bootstrap: Type.Array(Type.String({ maxLength: 256 }), { maxItems: 64 }),
  api: Type.Object({
    host: Type.String({ maxLength: 256 }),
    /** 0 picks a free one; `api.json` in the data directory tells which */
    port: Type.Integer({ minimum: 0, maximum: 65535 }),
    /** origins whose pages may call, beside the node's own page; none if left out */
    cors: Type.Optional(Type.Array(Type.String({ pattern: '^https?://[^/*]+$', maxLength: 256 }), { maxItems: 64 })),
    /** files in PEM; plain HTTP if left out: for this machine, or behind a proxy */
    tls: Type.Optional(Type.Object({ cert: Type.String(), key: Type.String() }, { additionalProperties: false })),
    /** addresses of proxies whose X-Forwarded-For counts; none if left out */
    trustProxy: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64 })),
    /** answers for callers without a key, paid by this node: requests of each address, base units of OPEN in all; none if left out */
    free: Type.Optional(Type.Object({
      requestsPerMinute: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
      spendPerDay: Type.String({ pattern: '^[0-9]{1,40}$' })
    }, { additionalProperties: false })),
    /** answers bought at once, and those that wait for their turn */
    answersAtOnce: Type.Optional(Type.Integer({ minimum: 1, maximum: 256 })),
    answersWaiting: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_096 }))
  }, { additionalProperties: false }),
  /** the account of the keychain that acts where none is named */
  account: Type.String({ pattern: NAME_PATTERN.source }),
  /** training threads */
  threads: Type.Integer({ minimum: 1, maximum: 64 }),
  /** columns of an adapter's influence Jacobian that a validator or assessor computes at most, of those that it is drawn for; 4 if left out */
  columnsPerAdapter: Type.Optional(Type.Integer({ minimum: 0, maximum: 1024 })),
  /** epochs whose blocks are kept; all if left out: an archive */
  keepEpochs: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 }))
}, { additionalProperties: false })

/** What a node is told about itself; `config.json` in its data directory. */
export type NodeConfig = Static<typeof nodeConfig>

export const defaultConfig: NodeConfig = {
  name: 'node',
  roles: ['contributor'],
  listen: ['/ip4/127.0.0.1/tcp/0'],
  bootstrap: [],
  api: { host: '127.0.0.1', port: API_PORT },
  account: 'main',
  threads: 2
}

/**
 * Reads and checks `config.json`.
 *
 * @throws {ConfigError} naming the field that is wrong
 * @throws {DataDirError} if there is none
 */
export async function readConfig (dataDir: string): Promise<NodeConfig> {
  const path = join(dataDir, 'config.json')
  const text = await readBounded(path, CONFIG_BYTES_MAX, 'run `datanet init` first, or name the data directory with --data-dir')
  let json: unknown

  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new ConfigError(`${path} is not JSON`, { cause, hint: 'mend it, or move it away and run `datanet init` again' })
  }

  return checkConfig(json, path)
}

/** Checks a configuration that came from anywhere. */
export function checkConfig (value: unknown, source = 'the configuration'): NodeConfig {
  if (!Value.Check(nodeConfig, value)) {
    const first = [...Value.Errors(nodeConfig, value)][0]

    throw new ConfigError(`${source}: ${first?.path ?? '/'} ${first?.message ?? 'is wrong'}, it is ${JSON.stringify(first?.value)}`)
  }

  return value
}

/** Writes by rename, so that a crash leaves the old or the new file, never half of one. */
export async function writeConfig (dataDir: string, config: NodeConfig): Promise<void> {
  await writeWhole(join(dataDir, 'config.json'), `${JSON.stringify(checkConfig(config), null, 2)}\n`)
}

/** Writes a small file in one piece, readable by its owner alone if `mode` says so. */
export async function writeWhole (path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const temporary = `${path}.new`

  await writeFile(temporary, content, { mode, flush: true })
  await rename(temporary, path)
}

/** Reads a text file that must exist and be small. */
export async function readBounded (path: string, bytesMax: number, hint: string): Promise<string> {
  let bytes: Uint8Array

  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new DataDirError(`expected the file ${path}, but it cannot be read`, { cause, hint })
  }

  if (bytes.byteLength > bytesMax) {
    throw new DataDirError(`${path} should have at most ${bytesMax} bytes but has ${bytes.byteLength}`, { hint: 'it is not a file that datanet wrote' })
  }

  return new TextDecoder().decode(bytes)
}
