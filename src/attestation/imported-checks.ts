import { verifyRecord } from '../identity/index.ts'
import { listAdapters } from '../ledger/index.ts'
import { loraShape, peftToTheta, thetaToPeft } from '../models/index.ts'
import { toError } from '../utils/index.ts'
import { baseModelCodec, domains, equalBytes, importedAdapterCodec, publishedAdapterCodec, RECORD_BYTES_MAX, signedCodec } from '../wire/index.ts'
import { ledgerCheck, plainCheck } from './checks.ts'
import { ADAPTERS_COMPARED_AT_ONCE, ADAPTER_LOOKUP_TIMEOUT_MS, IMPORTED_WEIGHTS_BYTES_MAX } from './constants.ts'
import type { AbortOptions, AdapterState, CheckResult, ImportedAdapter } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { LoraShape } from '../models/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

type Store = Pick<Storage, 'get' | 'getFile'>

const signedImported = signedCodec(importedAdapterCodec)
const signedPublished = signedCodec(publishedAdapterCodec)

/** Identifiers joined by AND, OR and WITH, in balanced parentheses: the form of SPDX expressions, annex D of SPDX 2.3. */
export function isLicenceExpression (text: string): boolean {
  const tokens = text.replace(/[()]/g, ' $& ').trim().split(/\s+/)
  let depth = 0
  let wantsIdentifier = true

  for (const token of tokens) {
    if (token === '(' || token === ')') {
      // a parenthesis opens where an identifier could stand and closes behind one
      if ((token === '(') !== wantsIdentifier) {
        return false
      }

      depth += token === '(' ? 1 : -1
    } else if (token === 'AND' || token === 'OR' || token === 'WITH') {
      if (wantsIdentifier) {
        return false
      }

      wantsIdentifier = true
    } else {
      if (!wantsIdentifier || !/^[A-Za-z0-9][A-Za-z0-9.:-]*\+?$/.test(token)) {
        return false
      }

      wantsIdentifier = false
    }

    if (depth < 0) {
      return false
    }
  }

  return depth === 0 && !wantsIdentifier
}

/**
 * All that can be checked of an adapter that nobody can recompute; see protocols/imported-adapter.
 * What is wrong with its content is a failed check; files that cannot be had throw.
 */
export async function checkImported (storage: Store, subject: CID, state: AdapterState, ledger: LedgerState, options: AbortOptions): Promise<CheckResult[]> {
  const signed = signedImported.decode(await storage.get(subject, { ...options, bytesMax: signedImported.bytesMax }))

  verifyRecord(domains.adapter, importedAdapterCodec, signed, state.developer)

  const record = signed.payload
  const wrong = [
    equalBytes(record.developer, state.developer) ? '' : 'developer',
    record.base.equals(state.base) ? '' : 'base',
    state.weights != null && record.weights.equals(state.weights) ? '' : 'weights'
  ].filter(field => field !== '')
  const checks = [
    ledgerCheck(wrong),
    plainCheck('licence', isLicenceExpression(record.licence), `the licence is ${record.licence}`)
  ]

  if (checks.some(check => !check.passed)) {
    return checks
  }

  const weights = await checkWeights(storage, record, options)
  const copied = weights.every(check => check.passed) ? await sameWeights(storage, subject, state, ledger, options) : undefined

  return [...checks, ...weights, plainCheck('duplicate', copied === undefined, copied === undefined ? 'no earlier adapter has these weights' : `they are those of the adapter ${copied.toString()}`)]
}

async function checkWeights (storage: Store, record: ImportedAdapter, options: AbortOptions): Promise<CheckResult[]> {
  const base = baseModelCodec.decode(await storage.get(record.base, { ...options, bytesMax: RECORD_BYTES_MAX }))
  let shape: LoraShape

  try {
    shape = loraShape(base.config, record)
  } catch (err) {
    return [plainCheck('weights', false, reason(err))]
  }

  const file = await storage.getFile(record.weights, { ...options, bytesMax: IMPORTED_WEIGHTS_BYTES_MAX })

  try {
    // a tensor that is missing, misshapen or not finite is named by the error
    const theta = peftToTheta(shape, file)
    const canonical = equalBytes(thetaToPeft(shape, theta).weights, file)
    const changes = shape.factors.some(({ offsetB, outputs }) => theta.subarray(offsetB, offsetB + outputs * shape.rank).some(value => value !== 0))

    return [
      plainCheck('weights', canonical, canonical ? `${shape.parameters} finite parameters` : 'the file is not the canonical one of its values: equal weights must have one CID'),
      plainCheck('effect', changes, changes ? 'it changes the base' : 'every B is zero: it changes nothing of the base')
    ]
  } catch (err) {
    return [plainCheck('weights', false, reason(err))]
  }
}

/**
 * The adapter of the same base that the ledger had before with the very same weights. Imports are
 * compared by the ledger itself; of trained ones the record says the weights, once validators found
 * it true: before that anybody may say anything of what they saw in somebody's import. A record that
 * nobody serves compares with nothing.
 */
async function sameWeights (storage: Store, subject: CID, state: AdapterState, ledger: LedgerState, { signal }: AbortOptions): Promise<CID | undefined> {
  const earlier = [...listAdapters(ledger)].filter(one => one.state.height <= state.height && one.state.snapshot !== null && one.state.status === 'admitted' && one.state.base.equals(state.base) && !one.adapter.equals(subject))

  for (let i = 0; i < earlier.length; i += ADAPTERS_COMPARED_AT_ONCE) {
    const timeout = AbortSignal.timeout(ADAPTER_LOOKUP_TIMEOUT_MS)
    const found = await Promise.all(earlier.slice(i, i + ADAPTERS_COMPARED_AT_ONCE).map(async ({ adapter }) => {
      const bytes = await storage.get(adapter, { signal: signal == null ? timeout : AbortSignal.any([signal, timeout]), bytesMax: signedPublished.bytesMax }).catch(() => undefined)

      signal?.throwIfAborted()

      const record = bytes == null ? undefined : signedPublished.decode(bytes).payload

      return record?.type === 'adapter' && state.weights != null && record.weights.equals(state.weights) ? adapter : undefined
    }))
    const same = found.find(one => one !== undefined)

    if (same !== undefined) {
      return same
    }
  }
}

const reason = (err: unknown): string => toError(err).message
