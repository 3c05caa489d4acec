import { InvalidArgumentError } from 'commander'
import { CID } from 'multiformats/cid'
import { NAME_PATTERN } from '../client/index.ts'
import { exitCodes } from './constants.ts'
import { hasEnded } from './describe-training.ts'
import { CommandError } from './errors.ts'
import { parseOpen } from './output.ts'
import type { NodeClient } from '../client/index.ts'
import type { DatanetView, TrainingView } from '../interface/index.ts'
import type { AccountView } from '../node/index.ts'

// Arguments are checked before a node is asked: what is wrong with them is said in their own words, with exit code 2.

/** A whole number within bounds. */
export const integer = (min: number, max: number) => (text: string): number => {
  const value = Number(text)

  if (!/^\d{1,16}$/.test(text) || value < min || value > max) {
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`)
  }

  return value
}

/** A decimal within bounds. */
export const decimal = (min: number, max: number) => (text: string): number => {
  const value = Number(text)

  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text) || value < min || value > max) {
    throw new InvalidArgumentError(`Expected a number from ${min} to ${max}, such as 0.8.`)
  }

  return value
}

export const port = integer(0, 65_535)

/** OPEN as base units. */
export function amount (text: string): bigint {
  let value: bigint

  try {
    value = parseOpen(text)
  } catch {
    throw new InvalidArgumentError('Expected an amount of OPEN such as 12 or 0.5, with at most 18 decimals.')
  }

  if (value === 0n) {
    throw new InvalidArgumentError('Expected more than 0.')
  }

  return value
}

/** A multikey of Ed25519: 34 bytes in base58, of which two say what it is. Whoever uses it decodes it. */
const ACCOUNT_PATTERN = /^z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/

/** An account as text. */
export function account (text: string): string {
  if (!ACCOUNT_PATTERN.test(text)) {
    throw new InvalidArgumentError('Expected an account: it begins with z6Mk, and `datanet wallet` lists those of the node.')
  }

  return text
}

/** The CID of a contribution. */
export function cid (text: string): string {
  if (!isCid(text)) {
    throw new InvalidArgumentError('Expected a CID: it begins with baf, and `datanet contribute` and `datanet ask` print it.')
  }

  return text
}

/** The name of an account or a node. */
export function name (text: string): string {
  if (!NAME_PATTERN.test(text)) {
    throw new InvalidArgumentError('Expected lower-case letters, digits and -, at most 48.')
  }

  return text
}

/** Height and hash of a header. */
export function checkpoint (text: string): { height: number, hash: Uint8Array } {
  const [, height, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []

  if (hash === undefined) {
    throw new InvalidArgumentError('Expected a height, a colon and the 64 hexadecimal digits of the header\'s hash: `datanet light follow --json` prints both.')
  }

  return { height: Number(height), hash: new Uint8Array(Buffer.from(hash, 'hex')) }
}

/** Hexadecimal of a task's 32 bytes. */
export function taskHash (text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new InvalidArgumentError('Expected the 64 hexadecimal digits of a task: `datanet status` lists them.')
  }

  return text
}

/** For options that may be repeated. */
export function collect (value: string, previous: string[] = []): string[] {
  return [...previous, value]
}

/** An account, or a name in the keychain of the node. */
export async function accountNamed (client: NodeClient, text: string, options: { signal: AbortSignal }): Promise<string> {
  if (ACCOUNT_PATTERN.test(text)) {
    return text
  }

  const accounts = await client.get<AccountView[]>('/api/v1/wallet', options)
  const named = accounts.find(({ name }) => name === text)

  if (named == null) {
    throw new CommandError('ERR_ACCOUNT', `expected an account such as z6Mk… or a name of this keychain, but got "${text}"`, {
      exitCode: exitCodes.usage,
      hint: `this keychain has: ${accounts.map(({ name }) => name).join(', ')}`
    })
  }

  return named.account
}

/** A Datanet by CID, or by name if one alone has it. */
export async function datanetNamed (client: NodeClient, text: string, options: { signal: AbortSignal }): Promise<string> {
  if (isCid(text)) {
    return text
  }

  const named = (await client.get<DatanetView[]>('/api/v1/datanets', options)).filter(({ name }) => name === text)

  if (named.length !== 1) {
    throw new CommandError('ERR_UNKNOWN_DATANET', named.length === 0
      ? `there is no Datanet "${text}" on this chain`
      : `${named.length} Datanets have the name "${text}": take the CID of one`, {
      exitCode: exitCodes.usage,
      hint: 'list them with `datanet status`, or make one with `datanet create`'
    })
  }

  return named[0].datanet
}

/** A training of the node by id, or by name if one alone has it: the only one, or the only one that has not ended. */
export async function trainingNamed (client: NodeClient, text: string, options: { signal: AbortSignal }): Promise<TrainingView> {
  const trainings = await client.get<TrainingView[]>('/api/v1/trainings', options)
  const one = trainings.find(({ id }) => id === text)

  if (one != null) {
    return one
  }

  const named = trainings.filter(({ name }) => name === text)
  const open = named.filter(view => !hasEnded(view))
  const [found, ...others] = open.length === 0 ? named : open

  if (found == null || others.length > 0) {
    throw new CommandError('ERR_UNKNOWN_TRAINING', found == null
      ? `there is no training "${text}" on this node`
      : `${others.length + 1} trainings have the name "${text}": take the id of one`, {
      exitCode: exitCodes.usage,
      hint: 'list them with `datanet training list`'
    })
  }

  return found
}

/** Does a text look like a CID, rather than a name? */
export function isCid (text: string): boolean {
  try {
    CID.parse(text)
    return true
  } catch {
    return false
  }
}
