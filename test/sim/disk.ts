import { toHex } from '../../src/wire/index.ts'
import type { Disk, FinalEntry } from './interface.ts'
import type { DurableRecord } from '../../src/consensus/index.ts'

/**
 * A disk as the node's store uses one: a log of atomic writes with checksums. A vote and the block it
 * names are one write and wait for the disk, which takes all earlier writes along; everything else is
 * there for the process at once and may be gone after a power failure, from some write on to the end.
 */
export const emptyDisk = (genesis: FinalEntry): Disk => ({ records: [], blocks: new Map(), chain: [genesis], undo: [], damaged: false, signed: { era: 0, view: 0 }, signedUpTo: null })

const keepBlock = (disk: Disk, block: Omit<FinalEntry, 'certificate'>): void => {
  const key = toHex(block.hash)

  if (!disk.blocks.has(key)) {
    disk.undo.push(() => { disk.blocks.delete(key) })
    disk.blocks.set(key, block)
  }
}

/** One durable record of consensus, with its block if it is a vote for one. A disk that lies is not waited for. */
export const writeRecord = (disk: Disk, record: DurableRecord, block?: Omit<FinalEntry, 'certificate'>, lies = false): void => {
  disk.undo.push(() => { disk.records.pop() })
  disk.records.push(record)

  if (block !== undefined) {
    keepBlock(disk, block)
  }

  if (record.type === 'vote') {
    disk.undo = lies ? disk.undo : []
    const { era, view } = record.vote

    disk.signed = era > disk.signed.era || (era === disk.signed.era && view > disk.signed.view) ? { era, view } : disk.signed
  }
}

/** A final block, and away with the records that it makes useless. */
export const writeFinal = (disk: Disk, entry: FinalEntry): void => {
  const { records } = disk

  disk.undo.push(() => { disk.chain.pop() })
  disk.chain.push(entry)
  keepBlock(disk, { hash: entry.hash, header: entry.header })
  disk.undo.push(() => { disk.records = records })
  disk.records = records.filter(record => (record.type === 'vote' ? record.vote : record.certificate).view > entry.header.view)
}

/** The newest writes that nobody waited for are gone, the last so many of them. */
export const losePower = (disk: Disk, writes: number): void => {
  for (const undo of disk.undo.splice(Math.max(0, disk.undo.length - writes)).reverse()) {
    undo()
  }
}

/**
 * What an operator does with a disk that does not read any more: begin with an empty one and say how
 * far this validator had signed, which was written down elsewhere too.
 */
export const replaceDisk = (disk: Disk, history: boolean): void => {
  disk.records = []
  disk.blocks.clear()
  disk.chain.splice(1)
  disk.undo = []
  disk.damaged = false
  disk.signedUpTo = history ? disk.signed : null
}
