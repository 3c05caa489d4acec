import { PIECE_BYTES_MAX, TEXT_CHARACTERS_MAX, TOKENIZER_BYTES_MAX, VOCABULARY_MAX } from './constants.ts'
import { TokenizerError } from './errors.ts'
import { decodeProto, encodeProto, floatField, numberField } from './proto.ts'
import { mergePieces } from './sentencepiece-merge.ts'
import { bytesTokenizer } from './token-bytes.ts'
import type { SpecialTokens, Tokenizer } from './interface.ts'
import type { ProtoField } from './proto.ts'

/** Types of pieces: `sentencepiece_model.proto`. */
export const PIECE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

export interface Piece {
  text: string
  score: number
  /** one of PIECE */
  type: number
}

/** What decides tokens in a SentencePiece model of BPE. */
export interface SentencePieceModel {
  pieces: Piece[]
  /** a space before the text */
  addDummyPrefix: boolean
  /** runs of spaces become one, none at the ends */
  removeExtraWhitespaces: boolean
}

const BPE = 2
const SPACE = '▁'
/** Pieces that a user defined and that look like these guide a chat: only templates may write them. */
const BRACKETED = /^(<[^ ]+>|\[[^ ]+\])$/

/**
 * Reads SentencePiece's tokenizer.model (`sentencepiece_model.proto`) of type BPE without a
 * normalisation table, as the Llama family has it.
 *
 * @throws {TokenizerError} if it is malformed, too large or of another kind
 */
export function parseSentencePiece (bytes: Uint8Array): SentencePieceModel {
  if (bytes.length > TOKENIZER_BYTES_MAX) {
    throw new TokenizerError(`expected a tokenizer of at most ${TOKENIZER_BYTES_MAX} bytes but got ${bytes.length}`)
  }
  const fields = decodeProto(bytes, 'the tokenizer', VOCABULARY_MAX + 64)
  const pieces = fields.filter(({ number }) => number === 1).map(parsePiece)
  const trainer = inner(fields, 2)
  const normalizer = inner(fields, 3)
  const type = numberField(trainer, 3) ?? 1
  if (type !== BPE) {
    throw new TokenizerError(`expected a SentencePiece model of type 2, BPE, but got ${type}: use the model's tokenizer.json`)
  }
  const table = normalizer.find(({ number }) => number === 2)?.bytes
  if (table != null && table.length > 0) {
    throw new TokenizerError('expected a SentencePiece model without a normalisation table: use the model\'s tokenizer.json')
  }
  if (pieces.length === 0 || pieces.length > VOCABULARY_MAX) {
    throw new TokenizerError(`expected 1 … ${VOCABULARY_MAX} pieces but got ${pieces.length}`)
  }
  return {
    pieces,
    addDummyPrefix: numberField(normalizer, 3) !== 0,
    removeExtraWhitespaces: numberField(normalizer, 4) !== 0
  }
}

/** Writes a tokenizer.model that `parseSentencePiece` reads back; the same model gives the same bytes. */
export function writeSentencePiece (model: SentencePieceModel): Uint8Array {
  const encoder = new TextEncoder()
  return encodeProto([
    ...model.pieces.map(({ text, score, type }): ProtoField => ({
      number: 1,
      bytes: encodeProto([{ number: 1, bytes: encoder.encode(text) }, { number: 2, float: score }, { number: 3, value: type }])
    })),
    { number: 2, bytes: encodeProto([{ number: 3, value: BPE }]) },
    {
      number: 3,
      bytes: encodeProto([
        { number: 1, bytes: encoder.encode('identity') },
        { number: 3, value: model.addDummyPrefix ? 1 : 0 },
        { number: 4, value: model.removeExtraWhitespaces ? 1 : 0 }
      ])
    }
  ])
}

function inner (fields: ProtoField[], number: number): ProtoField[] {
  const bytes = fields.find(field => field.number === number)?.bytes
  return bytes == null ? [] : decodeProto(bytes, `field ${number} of the tokenizer`, 1024)
}

function parsePiece ({ bytes }: ProtoField, id: number): Piece {
  const fields = decodeProto(bytes ?? new Uint8Array(0), `piece ${id}`, 8)
  const text = fields.find(({ number }) => number === 1)?.bytes ?? new Uint8Array(0)
  const score = floatField(fields, 2) ?? 0
  const type = numberField(fields, 3) ?? PIECE.normal
  if (text.length === 0 || text.length > PIECE_BYTES_MAX || !Number.isFinite(score) || type < PIECE.normal || type > PIECE.byte) {
    throw new TokenizerError(`expected piece ${id} to have a text of 1 … ${PIECE_BYTES_MAX} bytes, a finite score and a type of 1 … 6`)
  }
  return { text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(text), score, type }
}

/**
 * A tokenizer of SentencePiece's BPE: the pair whose piece has the highest score is merged first,
 * the leftmost among equals; what is no piece becomes bytes.
 *
 * @param model - pieces and options
 * @param special - the ids that begin and end texts
 * @param size - of the model's vocabulary, at least the number of pieces; the rest decode to nothing
 * @throws {TokenizerError} if ids are out of range or a character could not be written
 */
export function sentencePieceTokenizer (model: SentencePieceModel, special: SpecialTokens, size = model.pieces.length): Tokenizer {
  const { pieces } = model
  const ends = new Set([special.bos, special.eos, ...special.stop])
  const mergeable = new Map<string, { id: number, score: number }>()
  const named = new Map<string, number>()
  const byteIds: Array<number | undefined> = new Array<number | undefined>(256)
  const unknown = pieces.findIndex(({ type }) => type === PIECE.unknown)
  const tokens = pieces.map(({ text, score, type }, id) => {
    const byte = type === PIECE.byte ? Number.parseInt(/^<0x([0-9A-F]{2})>$/.exec(text)?.[1] ?? '', 16) : NaN
    if (type === PIECE.byte) {
      if (Number.isNaN(byte)) {
        throw new TokenizerError(`expected piece ${id} to be a byte such as <0x0A> but got ${JSON.stringify(text)}`)
      }
      byteIds[byte] = id
      return Uint8Array.of(byte)
    }
    if (type === PIECE.control || (type === PIECE.userDefined && BRACKETED.test(text)) || (type !== PIECE.unknown && ends.has(id))) {
      named.set(text, id)
      return new Uint8Array(0)
    }
    if (type === PIECE.unknown || type === PIECE.unused) {
      return new Uint8Array(0)
    }
    if (!mergeable.has(text)) {
      // what a user defined is merged before anything else
      mergeable.set(text, { id, score: type === PIECE.userDefined ? Infinity : score })
    }
    return new TextEncoder().encode(text.replaceAll(SPACE, ' '))
  })
  if (unknown === -1 && byteIds.includes(undefined)) {
    throw new TokenizerError('expected a piece for unknown characters or one for each of the 256 bytes')
  }
  // merges that never reach over the end of a word let words be merged, and remembered, on their own
  const wordwise = ![...mergeable.keys()].some(text => /[^▁]▁/.test(text))
  const merge = mergePieces(mergeable, char => [...new TextEncoder().encode(char)].map(byte => byteIds[byte] ?? unknown))

  return bytesTokenizer({
    tokens,
    size,
    special,
    named,
    encode (text) {
      if (text.length > TEXT_CHARACTERS_MAX) {
        throw new TokenizerError(`expected a text of at most ${TEXT_CHARACTERS_MAX} characters but got ${text.length}: encode it in parts`)
      }
      // a pattern for the end would look at a run of spaces anew from each of them
      const tidy = model.removeExtraWhitespaces ? text.split(' ').filter(word => word !== '').join(' ') : text
      if (tidy === '') {
        return []
      }
      const whole = `${model.addDummyPrefix ? SPACE : ''}${tidy.replaceAll(' ', SPACE)}`
      const ids: number[] = []
      for (const word of wordwise ? whole.match(/▁*[^▁]+|▁+/g) ?? [] : [whole]) {
        for (const id of merge(word)) {
          ids.push(id)
        }
      }
      return ids
    },
    // the space before the first word is the tokenizer's
    dropsFirstSpace: model.addDummyPrefix
  })
}
