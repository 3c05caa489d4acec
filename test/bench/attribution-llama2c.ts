import type { Encoder } from './attribution-data.ts'

/**
 * Text to ids by the tokenizer file of llama2.c, as its `run.c` does: characters first, then again
 * and again the neighbours whose union has the highest score.
 */
export function llama2cEncoder (bytes: Uint8Array, size: number): Encoder {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const ids = new Map<string, number>()
  const pieces: string[] = []
  const scores: number[] = []
  let offset = 4

  for (let id = 0; id < size; id++) {
    const length = view.getInt32(offset + 4, true)
    const piece = new TextDecoder().decode(bytes.subarray(offset + 8, offset + 8 + length))

    scores.push(view.getFloat32(offset, true))
    pieces.push(piece)

    if (!ids.has(piece)) {
      ids.set(piece, id)
    }

    offset += 8 + length
  }

  const characterIds = (character: string): number[] => {
    const id = ids.get(character)

    // bytes have the ids after <unk>, BOS and EOS
    return id === undefined ? Array.from(new TextEncoder().encode(character), byte => byte + 3) : [id]
  }

  const encodeWord = (word: string): number[] => {
    const tokens = Array.from(word).flatMap(characterIds)

    for (;;) {
      let best = -1
      let union = -1

      for (let i = 0; i + 1 < tokens.length; i++) {
        const id = ids.get(pieces[tokens[i]] + pieces[tokens[i + 1]])

        if (id !== undefined && (union === -1 || scores[id] > scores[union])) {
          [best, union] = [i, id]
        }
      }

      if (best === -1) {
        return tokens
      }

      tokens.splice(best, 2, union)
    }
  }

  return {
    bos: 1,
    // no piece has a space but in front, so words do not touch each other
    encode: text => Uint32Array.from(` ${text}`.split(/(?= )/).flatMap(encodeWord))
  }
}
