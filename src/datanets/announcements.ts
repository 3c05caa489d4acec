import { RECORD_BYTES_MAX, cidOf } from '../wire/index.ts'
import { assertContribution, signedContributionCodec } from './records.ts'
import type { Contributed, DatanetsNetwork } from './interface.ts'
import type { Records } from './records.ts'
import type { Topic } from '../gossip/index.ts'
import type { Contribution, DatanetManifest, Signed } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** The gossip topic of a Datanet's contributions. */
export const contributionsTopic = (chain: string, datanet: CID): string => `datanet/${chain}/${datanet.toString()}/contributions/1`

/**
 * The topics of the Datanets that this node follows or contributes to. A wrong announcement is
 * rejected with its named error: it is neither kept nor forwarded, and lowers its sender's score.
 */
export class Announcements {
  private readonly chain: string
  private readonly network: DatanetsNetwork
  private readonly records: Records
  private readonly onAnnounced: (contributed: Contributed) => void
  private readonly topics = new Map<string, Topic<Signed<Contribution>>>()

  constructor (chain: string, network: DatanetsNetwork, records: Records, onAnnounced: (contributed: Contributed) => void) {
    this.chain = chain
    this.network = network
    this.records = records
    this.onAnnounced = onAnnounced
  }

  /** Joins a Datanet's topic. The manifest is there by now, so that a validator never waits for the network. */
  join (datanet: CID, manifest: DatanetManifest): Topic<Signed<Contribution>> {
    const key = datanet.toString()
    const existing = this.topics.get(key)
    if (existing !== undefined) {
      return existing
    }
    const topic = this.network.topic({
      name: contributionsTopic(this.chain, datanet),
      codec: signedContributionCodec,
      bytesMax: RECORD_BYTES_MAX,
      validate: signed => {
        assertContribution(signed, datanet, manifest)
        return 'accept'
      }
    })
    topic.subscribe(record => {
      const contribution = cidOf(signedContributionCodec.encode(record))
      if (!this.records.isAnnounced(contribution)) {
        this.records.announce(contribution, record)
        this.onAnnounced({ contribution, record })
      }
    })
    this.topics.set(key, topic)
    return topic
  }
}
