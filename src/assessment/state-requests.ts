import { signRecord, verifyRecord } from '../identity/index.ts'
import { readChain, readTask, readValidators } from '../ledger/index.ts'
import { account, codec, domains, equalBytes, fileCid, hash32, literal, nullable, signedCodec, struct, text, uint32 } from '../wire/index.ts'
import { FETCH_TIMEOUT_MS, STATE_MESSAGE_BYTES_MAX, STATES_PROTOCOL } from './constants.ts'
import { StateDeniedError } from './errors.ts'
import { peersWith } from './receipts.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Account, Hash, Signed } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { CID } from 'multiformats/cid'

/** Signed by a validator: a state has sums of gradients of answers in it, which are nobody else's business. */
interface StateRequest {
  type: 'step-state-request'
  chain: string
  task: Hash
  index: number
  validator: Account
  /** the peer that sends the request: nobody else can use it */
  peer: string
}

const requestCodec = codec<StateRequest>('step state request', struct({
  type: literal('step-state-request'),
  chain: text({ max: 64 }),
  task: hash32,
  index: uint32,
  validator: account,
  peer: text({ max: 128 })
}), { bytesMax: STATE_MESSAGE_BYTES_MAX })

const signedRequestCodec = signedCodec(requestCodec)

/** Where the state is; null if it is not there (yet). */
const responseCodec = codec('step state response', struct({
  type: literal('step-state-response'),
  state: nullable(fileCid)
}), { bytesMax: STATE_MESSAGE_BYTES_MAX })

/**
 * Tells validators where the states are that this node published, as long as they judge that very step.
 *
 * @param network - of the node
 * @param ledgerOf - the state now
 * @param stateOf - what was published of a task's step
 */
export function serveStates (network: Network, ledgerOf: () => LedgerState, stateOf: (task: Hash, index: number) => CID | undefined): void {
  const options = { requestBytesMax: signedRequestCodec.bytesMax, responseBytesMax: responseCodec.bytesMax, timeoutMs: FETCH_TIMEOUT_MS }

  network.handle(STATES_PROTOCOL, options, async (request, { peer }) => {
    const signed = signedRequestCodec.decode(request)

    checkValidator(signed, ledgerOf(), peer.toString())

    return responseCodec.encode({ type: 'step-state-response', state: stateOf(signed.payload.task, signed.payload.index) ?? null })
  })
}

/** @throws {StateDeniedError | SignatureError} */
function checkValidator (signed: Signed<StateRequest>, ledger: LedgerState, peer: string): void {
  const { payload } = signed
  const task = readTask(ledger, payload.task)

  if (payload.chain !== readChain(ledger).chain || payload.peer !== peer) {
    throw new StateDeniedError('expected a request for this chain, made for the peer that sends it')
  }

  if (task?.phase !== 'step' || task.dispute?.agreed !== payload.index || !readValidators(ledger).some(one => equalBytes(one.account, payload.validator))) {
    throw new StateDeniedError('states are shown to validators alone, while they judge the step')
  }

  verifyRecord(domains.stepStateRequest, requestCodec, signed, payload.validator)
}

/** What connected peers say where the state of a step is, one after the other; a peer may say anything. */
export async function * askForStates (network: Network, ledger: LedgerState, task: Hash, index: number, signer: Signer, options: AbortOptions): AsyncGenerator<CID> {
  const payload: StateRequest = { type: 'step-state-request', chain: readChain(ledger).chain, task, index, validator: signer.account, peer: network.peerId.toString() }
  const request = signedRequestCodec.encode(signRecord(domains.stepStateRequest, requestCodec, payload, signer))

  for (const peer of await peersWith(network, STATES_PROTOCOL)) {
    const bytes = await network.request(peer, STATES_PROTOCOL, request, { ...options, timeoutMs: FETCH_TIMEOUT_MS, responseBytesMax: responseCodec.bytesMax }).catch(() => {
      // the next one may have it
      options.signal?.throwIfAborted()

      return undefined
    })
    const state = bytes === undefined ? null : decoded(bytes)

    if (state !== null) {
      yield state
    }
  }
}

function decoded (bytes: Uint8Array): CID | null {
  try {
    return responseCodec.decode(bytes).state
  } catch {
    return null
  }
}
