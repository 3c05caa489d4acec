import { CID } from 'multiformats/cid'
import { accountToString } from '../identity/index.ts'
import { toHex } from '../wire/index.ts'

/** Fields that hold accounts; all other bytes are shown in hexadecimal. */
const accounts = new Set(['account', 'to', 'from', 'proposer', 'treasury', 'delegate', 'developer', 'curator', 'contributor', 'validator', 'assessor', 'gateway', 'payer'])

/** Records as JSON: amounts as decimal strings, CIDs and accounts as text, hashes in hexadecimal. */
export function toJson (value: unknown, field = ''): unknown {
  if (typeof value === 'bigint') {
    return value.toString()
  }

  if (value instanceof Uint8Array) {
    return accounts.has(field) ? accountToString(value) : toHex(value)
  }

  const cid = CID.asCID(value)

  if (cid != null) {
    return cid.toString()
  }

  if (Array.isArray(value)) {
    return value.map(item => toJson(item, field))
  }

  if (value != null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item, key)]))
  }

  return value
}
