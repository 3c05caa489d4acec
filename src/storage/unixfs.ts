import { CID } from 'multiformats/cid'
import { concat } from 'uint8arrays/concat'

/**
 * The one kind of dag-pb node that we write and read: an inner node of a UnixFS file.
 *
 * PBNode = { 2: PBLink[], 1: Data }; PBLink = { 1: Hash, 2: Name (empty), 3: Tsize };
 * Data = { 1: Type (2, file), 3: filesize, 4: blocksizes[] }. Links come before data, as
 * DAG-PB's canonical form wants. See https://ipld.io/specs/codecs/dag-pb/spec/ and
 * https://specs.ipfs.tech/unixfs/.
 */
export interface FileNode {
  links: Array<{ cid: CID, treeBytes: number }>
  fileBytes: number
  /** content bytes under each link */
  blockBytes: number[]
}

const varint = (value: number): number[] => {
  const out: number[] = []
  let rest = value
  while (rest >= 0x80) {
    out.push(rest % 0x80 + 0x80)
    rest = Math.floor(rest / 0x80)
  }
  out.push(rest)
  return out
}

const bytesField = (tag: number, bytes: Uint8Array): Uint8Array => concat([Uint8Array.from([tag, ...varint(bytes.byteLength)]), bytes])

export const encodeFileNode = (node: FileNode): Uint8Array => {
  const links = node.links.map(({ cid, treeBytes }) => bytesField(0x12, concat([
    bytesField(0x0a, cid.bytes),
    Uint8Array.from([0x12, 0x00, 0x18, ...varint(treeBytes)])
  ])))
  const data = Uint8Array.from([
    0x08, 0x02, 0x18, ...varint(node.fileBytes), ...node.blockBytes.flatMap(bytes => [0x20, ...varint(bytes)])
  ])
  return concat([...links, bytesField(0x0a, data)])
}

class Reader {
  private readonly bytes: Uint8Array
  private at = 0

  constructor (bytes: Uint8Array) {
    this.bytes = bytes
  }

  get done (): boolean {
    return this.at >= this.bytes.byteLength
  }

  varint (): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 7; i++) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) {
        throw new RangeError('it ends within a number')
      }
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        return value
      }
      scale *= 0x80
    }
    throw new RangeError('a number is longer than 49 bits')
  }

  expect (tag: number): void {
    const got = this.varint()
    if (got !== tag) {
      throw new RangeError(`expected field tag ${tag}, got ${got}`)
    }
  }

  next (): number | undefined {
    return this.bytes[this.at]
  }

  take (): Uint8Array {
    const length = this.varint()
    if (this.at + length > this.bytes.byteLength) {
      throw new RangeError('a field is longer than what holds it')
    }
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
}

const readLink = (bytes: Uint8Array): { cid: CID, treeBytes: number } => {
  const reader = new Reader(bytes)
  reader.expect(0x0a)
  const cid = CID.decode(reader.take())
  reader.expect(0x12)
  if (reader.take().byteLength > 0) {
    throw new RangeError('a link of a file has a name')
  }
  reader.expect(0x18)
  return { cid, treeBytes: reader.varint() }
}

/** Throws a RangeError or what CID.decode throws; callers wrap it. */
export const decodeFileNode = (bytes: Uint8Array, linksMax: number): FileNode => {
  const reader = new Reader(bytes)
  const links: FileNode['links'] = []
  while (reader.next() === 0x12) {
    reader.expect(0x12)
    if (links.length === linksMax) {
      throw new RangeError(`it has more than ${linksMax} links`)
    }
    links.push(readLink(reader.take()))
  }
  reader.expect(0x0a)
  const data = new Reader(reader.take())
  data.expect(0x08)
  data.expect(0x02)
  data.expect(0x18)
  const fileBytes = data.varint()
  const blockBytes: number[] = []
  while (!data.done) {
    data.expect(0x20)
    blockBytes.push(data.varint())
    if (blockBytes.length > links.length) {
      throw new RangeError('it has more sizes than links')
    }
  }
  if (!reader.done || blockBytes.length !== links.length || blockBytes.reduce((sum, bytes) => sum + bytes, 0) !== fileBytes) {
    throw new RangeError('its sizes do not add up')
  }
  return { links, fileBytes, blockBytes }
}
