import { CID } from 'multiformats/cid'

/** A short description of anything, for error messages: bounded, and safe for terminals. */
export function describe (value: unknown): string {
  if (value instanceof Uint8Array) {
    return `${value.length} bytes`
  }

  if (Array.isArray(value)) {
    return `a list of ${value.length}`
  }

  const link = CID.asCID(value)

  if (link != null) {
    return `the CID ${link.toString()}`
  }

  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  }

  if (typeof value === 'object' && value !== null) {
    return 'a map'
  }

  return value === undefined ? 'nothing' : String(value).slice(0, 60)
}
