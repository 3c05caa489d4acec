import { certificateValid, contradictionAmong } from '../consensus/index.ts'
import { bls } from '../identity/index.ts'
import { certificatesOfViewCodec, viewRequestCodec } from './codecs.ts'
import { CULPRIT_PEERS_MAX, FETCH_TIMEOUT_MS, VIEW_CERTIFICATES_MAX } from './constants.ts'
import type { Contradiction } from './interface.ts'
import type { ChainStore } from './store.ts'
import type { Network } from '../gossip/index.ts'
import type { AbortOptions, Certificate, Validator } from '../interface/index.ts'

export interface CulpritsInit {
  chain: string
  network: Pick<Network, 'handle' | 'peers' | 'request'>
  store: Pick<ChainStore, 'certificatesOf'>
  protocol: string
  validatorsOf (era: number): Promise<Validator[]>
}

/** Tells whoever asks what is known of a view. Register once. */
export function serveViews ({ network, store, protocol }: CulpritsInit): void {
  network.handle(protocol, { requestBytesMax: viewRequestCodec.bytesMax, responseBytesMax: certificatesOfViewCodec.bytesMax, timeoutMs: FETCH_TIMEOUT_MS, concurrency: 8 }, async request => {
    const { era, view } = viewRequestCodec.decode(request)

    return certificatesOfViewCodec.encode({ certificates: (await store.certificatesOf(era, view)).slice(0, VIEW_CERTIFICATES_MAX) })
  })
}

/**
 * Who made a fork. Two finalizations of one view convict by themselves. Of two views, the lower one,
 * v*, was also nullified, or another block of it notarized: an honest validator voted for the first
 * block above *v* on the other side, and had that certificate (consensus.md, Safety). So those who
 * may keep it are asked for all that they know of *v*. A block that is final through a descendant may
 * come with a notarization of a view below *v*, which honest validators may have nullified: then the
 * view of the other certificate is looked at too.
 *
 * @param init - where to look
 * @param certificates - of one era, as a fork shows them; none is believed unchecked
 * @param options - what ends the search
 * @param options.signal - fires to end it
 * @returns undefined if nobody here knows what convicts
 */
export async function findContradiction (init: CulpritsInit, certificates: [Certificate, Certificate], options: AbortOptions = {}): Promise<Contradiction | undefined> {
  const [lower, upper] = certificates.toSorted((a, b) => a.view - b.view)

  if (lower.era !== upper.era) {
    return undefined
  }

  const found = await findIn(init, lower.view, certificates, options)

  return found !== undefined || lower.kind === 'finalize' || lower.view === upper.view ? found : findIn(init, upper.view, certificates, options)
}

/** Among what is known of one view, here or by peers. */
async function findIn (init: CulpritsInit, view: number, certificates: Certificate[], { signal }: AbortOptions): Promise<Contradiction | undefined> {
  const { chain, network, store, protocol } = init
  const [{ era }] = certificates
  const validators = await init.validatorsOf(era)
  const known: Certificate[] = []

  const learn = (all: Certificate[]): Contradiction | undefined => {
    known.push(...all.filter(certificate => certificate.era === era && certificate.view === view && certificateValid(certificate, validators, bls, chain)))
    const pair = contradictionAmong(known)

    return pair === undefined ? undefined : { first: pair[0], second: pair[1], validators }
  }

  const ask = async (peer: ReturnType<typeof network.peers>[number]['peer']): Promise<Contradiction | undefined> => {
    const answer = await network.request(peer, protocol, viewRequestCodec.encode({ era, view }), { signal, responseBytesMax: certificatesOfViewCodec.bytesMax, timeoutMs: FETCH_TIMEOUT_MS })

    return learn(certificatesOfViewCodec.decode(answer).certificates)
  }

  const here = learn(certificates) ?? learn(await store.certificatesOf(era, view))

  if (here !== undefined) {
    return here
  }

  const answers = await Promise.allSettled(network.peers().slice(0, CULPRIT_PEERS_MAX).map(async ({ peer }) => ask(peer)))

  signal?.throwIfAborted()

  return answers.flatMap(answer => answer.status === 'fulfilled' && answer.value !== undefined ? [answer.value] : [])[0]
}
