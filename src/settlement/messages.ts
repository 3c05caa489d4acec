import { proposalCodec, proposalInput, voteCodec } from '../consensus/index.ts'
import { DatanetError } from '../utils/index.ts'
import { certificateCodec, signedTransactionCodec } from '../wire/index.ts'
import { RefusedByConsensusError } from './errors.ts'
import type { Book } from './book.ts'
import type { Judgement } from './driver.ts'
import type { Machine } from './machine.ts'
import type { Submissions } from './submissions.ts'
import type { ValidatorPeers } from './validators.ts'
import type { ProposalMessage, Vote } from '../consensus/index.ts'
import type { Network, Verdict } from '../gossip/index.ts'
import type { Certificate, Signed, Transaction } from '../interface/index.ts'
import type { PeerId } from '@libp2p/interface'

export interface MessagesInit {
  /** the name of a topic or protocol of this chain */
  name (what: string): string
  network: Network
  book: Book
  /** made after the topics, which begin to receive when the network runs */
  machine (): Machine
  submissions (): Submissions
  validators (): ValidatorPeers
}

/** What a chain says to all, or to each validator. */
export interface Messages {
  publishTransaction (signed: Signed<Transaction>): Promise<unknown>
  publishProposal (message: ProposalMessage): Promise<unknown>
  publishCertificate (certificate: Certificate): Promise<unknown>
  /** to every validator that is connected, by stream */
  sendVote (vote: Vote): void
}

const toVerdict = (what: string, { verdict, reason }: Judgement): Verdict =>
  verdict === 'accept' ? 'accept' : { verdict, reason: new RefusedByConsensusError(what, reason) }

/** The topics of a chain and its stream of votes. A network has no way back from a registration: once for each network. */
export function messages ({ name, network, book, machine, submissions, validators }: MessagesInit): Messages {
  const receiveProposal = (message: ProposalMessage): Verdict => {
    machine().heardOf(message.vote.era)

    // the block has to be there before consensus asks for its verification
    const { hash, known } = book.hold(message.block)
    const judgement = machine().judge(proposalInput(message))

    if (judgement.verdict !== 'accept' && !known) {
      book.drop(hash)
    }
    return toVerdict('proposal', judgement)
  }

  const receiveVote = (bytes: Uint8Array, peer: PeerId): void => {
    const from = validators().indexOf(peer)

    if (from === undefined) {
      return
    }
    try {
      const vote = voteCodec.decode(bytes)
      machine().heardOf(vote.era)
      machine().judge({ type: 'vote', from, vote })
    } catch (error) {
      if (!(error instanceof DatanetError)) {
        throw error
      }
      network.penalise(peer, error)
    }
  }

  const transactions = network.topic<Signed<Transaction>>({
    name: name('transactions'),
    codec: signedTransactionCodec,
    bytesMax: signedTransactionCodec.bytesMax,
    validate: async (signed) => submissions().receive(signed)
  })
  const proposals = network.topic<ProposalMessage>({ name: name('blocks'), codec: proposalCodec, bytesMax: proposalCodec.bytesMax, validate: receiveProposal })
  const certificates = network.topic<Certificate>({
    name: name('certificates'),
    codec: certificateCodec,
    bytesMax: 1_024,
    validate: (certificate) => {
      machine().heardOf(certificate.era)
      return toVerdict('certificate', machine().judge({ type: 'certificate', certificate }))
    }
  })
  const votes = network.channel(name('votes'), { messageBytesMax: voteCodec.bytesMax }, receiveVote)

  return {
    publishTransaction: async (signed) => transactions.publish(signed),
    publishProposal: async (message) => proposals.publish(message),
    publishCertificate: async (certificate) => certificates.publish(certificate),
    sendVote: (vote) => {
      const bytes = voteCodec.encode(vote)
      validators().connected().forEach(({ peer }) => { votes.send(peer, bytes) })
    }
  }
}
