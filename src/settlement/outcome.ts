import { CID } from 'multiformats/cid'
import { fromHex, toHex } from '../wire/index.ts'
import type { LedgerEvent, TransactionResult } from '../interface/index.ts'

export interface Outcome {
  results: TransactionResult[]
  events: LedgerEvent[]
}

type Tagged = { $cid: string } | { $big: string } | { $bytes: string }

/** Runs before `toJSON` of CID and Uint8Array, because `holder[key]` is the value itself. */
function tag (this: unknown, key: string, value: unknown): unknown {
  const holder = this
  const own: unknown = typeof holder === 'object' && holder !== null ? Reflect.get(holder, key) : value

  if (typeof own === 'bigint') {
    return { $big: own.toString() } satisfies Tagged
  }
  if (own instanceof Uint8Array) {
    return { $bytes: toHex(own) } satisfies Tagged
  }

  const cid = CID.asCID(own)
  return cid === null ? value : { $cid: cid.toString() } satisfies Tagged
}

function untag (_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return value
  }
  if ('$big' in value) {
    return BigInt(String(value.$big))
  }
  if ('$bytes' in value) {
    return fromHex(String(value.$bytes))
  }

  return '$cid' in value ? CID.parse(String(value.$cid)) : value
}

/** Results and events of a block, for our own disk only. */
export function encodeOutcome (outcome: Outcome): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(outcome, tag))
}

/** @param bytes - what `encodeOutcome` wrote; nothing else reaches this */
export function decodeOutcome (bytes: Uint8Array): Outcome {
  const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes), untag)

  // written by encodeOutcome from values of these types
  return parsed as Outcome
}
