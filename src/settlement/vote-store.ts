import * as dagCbor from '@ipld/dag-cbor'
import { voteCodec } from '../consensus/index.ts'
import { blockCodec, certificateCodec, toHex } from '../wire/index.ts'
import { CERTIFICATES_KEPT_VIEWS } from './constants.ts'
import { DamagedVotesError } from './errors.ts'
import { seal, unseal } from './sealed.ts'
import type { DurableRecord, SignedPosition } from '../consensus/index.ts'
import type { Block, Certificate, Hash } from '../interface/index.ts'
import type { Level } from 'level'

/** What a node has to stand by after a restart, and what it knows of past views. */
export interface VoteStore {
  /** Durable when it returns; with the block that a vote names. */
  persist (record: DurableRecord, block?: Block): Promise<void>
  /**
   * Votes and certificates above the last final view.
   *
   * @throws {DamagedVotesError} if one of them, or that there was one more, cannot be trusted: who signs on would contradict it
   */
  records (): Promise<DurableRecord[]>
  /** the highest place that was voted in here, ever */
  signed (): Promise<SignedPosition | undefined>
  /** nothing is signed at or below this, because it may have been before; durable when it returns */
  restored (): Promise<SignedPosition | undefined>
  putRestored (position: SignedPosition): Promise<void>
  /** the notarization of a block, if it is among the records */
  notarization (hash: Hash, view: number): Promise<Certificate | null>
  /** all certificates of a view that are kept: for `CERTIFICATES_KEPT_VIEWS` after it is final, to tell who made a fork */
  certificatesOf (era: number, view: number): Promise<Certificate[]>
  /** Forgets votes and candidates of views up to this one, and certificates of views long past. */
  forget (view: number): Promise<void>
}

/** The highest place that was voted in, and how many votes are among the records: a lost one is missed. */
interface Signed extends SignedPosition {
  votes: number
}

type Root = ReturnType<typeof Level.prototype.sublevel<string, Uint8Array>>

export const pad = (value: number): string => value.toString().padStart(15, '0')

export const candidateKey = (block: Block, hash: Hash): string => `${pad(block.header.view)}-${toHex(hash)}`

export const isAfter = (a: SignedPosition, b: SignedPosition): boolean => a.era > b.era || (a.era === b.era && a.view > b.view)

const encodeRecord = (key: string, record: DurableRecord): Uint8Array => seal(key, record.type === 'vote' ? voteCodec.encode(record.vote) : certificateCodec.encode(record.certificate))

function decodeRecord (key: string, bytes: Uint8Array): DurableRecord {
  const content = unseal(key, bytes)

  if (content === undefined) {
    throw new DamagedVotesError(`a record of view ${Number(key.slice(0, 15))}`)
  }
  return isVote(key) ? { type: 'vote', vote: voteCodec.decode(content) } : { type: 'certificate', certificate: certificateCodec.decode(content) }
}

/** By view first, so that ranges are views. Nullifications name no block: eras tell theirs apart. */
function recordKey (record: DurableRecord): string {
  const { era, view, kind, blockHash } = record.type === 'vote' ? record.vote : record.certificate
  return `${pad(view)}-${record.type}-${kind}-${era}-${toHex(blockHash)}`
}

const isVote = (key: string): boolean => key.slice(16).startsWith('vote-')

/**
 * @param root - the chain's part of the database
 * @param candidates - blocks that votes name, by `candidateKey`
 */
export function voteStore (root: Root, candidates: ReturnType<typeof root.sublevel<string, Uint8Array>>): VoteStore {
  const table = (name: string): typeof candidates => root.sublevel<string, Uint8Array>(name, { valueEncoding: 'view' })
  const records = table('records')
  const past = table('certificates')
  const signing = table('signing')
  /** as on disk; undefined until it was read */
  let signed: Signed | undefined

  async function place<T extends SignedPosition> (key: 'signed' | 'restored'): Promise<T | undefined> {
    const bytes = await signing.get(key)
    const content = bytes === undefined ? undefined : unseal(key, bytes)

    if (bytes !== undefined && content === undefined) {
      throw new DamagedVotesError('how far it had signed')
    }
    return content === undefined ? undefined : dagCbor.decode(content)
  }

  const signedSoFar = async (): Promise<Signed> => signed ?? await place<Signed>('signed') ?? { era: 0, view: 0, votes: 0 }

  async function entries (view: number): Promise<Array<[string, Uint8Array]>> {
    const range = { gte: pad(view), lt: pad(view + 1) }
    return [...await records.iterator(range).all(), ...await past.iterator(range).all()].filter(([key]) => !isVote(key))
  }

  return {
    persist: async (record, block) => {
      const key = recordKey(record)
      const batch = root.batch().put(key, encodeRecord(key, record), { sublevel: records })
      let next: Signed | undefined

      if (record.type === 'vote') {
        const { era, view } = record.vote
        const before = await signedSoFar()
        const votes = before.votes + (await records.get(key) === undefined ? 1 : 0)

        next = isAfter({ era, view }, before) ? { era, view, votes } : { ...before, votes }
        batch.put('signed', seal('signed', dagCbor.encode(next)), { sublevel: signing })
      }
      if (block !== undefined && record.type === 'vote') {
        batch.put(candidateKey(block, record.vote.blockHash), blockCodec.encode(block), { sublevel: candidates })
      }
      await batch.write({ sync: record.type === 'vote' })
      signed = next ?? signed
    },
    records: async () => {
      const all = (await records.iterator().all()).map(([key, bytes]) => decodeRecord(key, bytes))
      const { votes: expected } = await signedSoFar()
      const votes = all.filter(({ type }) => type === 'vote').length

      if (votes !== expected) {
        throw new DamagedVotesError(`${votes} votes where ${expected} were written`)
      }
      return all
    },
    signed: async () => {
      const { era, view } = await signedSoFar()
      return view === 0 ? undefined : { era, view }
    },
    restored: async () => place('restored'),
    putRestored: async value => { await root.batch().put('restored', seal('restored', dagCbor.encode(value)), { sublevel: signing }).write({ sync: true }) },
    notarization: async (blockHash, view) => {
      const found = (await entries(view)).find(([key]) => key.includes('-notarize-') && key.endsWith(`-${toHex(blockHash)}`))
      const record = found === undefined ? undefined : decodeRecord(...found)
      return record?.type === 'certificate' ? record.certificate : null
    },
    certificatesOf: async (era, view) => (await entries(view)).map(([key, bytes]) => decodeRecord(key, bytes))
      .flatMap(record => record.type === 'certificate' && record.certificate.era === era ? [record.certificate] : []),
    forget: async view => {
      const batch = root.batch()
      let { votes, ...position } = await signedSoFar()

      for (const [key, bytes] of await records.iterator({ lt: pad(view + 1) }).all()) {
        batch.del(key, { sublevel: records })

        if (isVote(key)) {
          votes--
        } else {
          batch.put(key, bytes, { sublevel: past })
        }
      }

      batch.put('signed', seal('signed', dagCbor.encode({ ...position, votes })), { sublevel: signing })
      await batch.write()
      signed = { ...position, votes }
      await past.clear({ lt: pad(Math.max(0, view - CERTIFICATES_KEPT_VIEWS)) })
      await candidates.clear({ lt: pad(view + 1) })
    }
  }
}
