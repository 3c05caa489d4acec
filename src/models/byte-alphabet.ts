/**
 * GPT-2's printable stand-ins for bytes, as tokenizer.json writes them: printable Latin-1 stands
 * for itself, the others for U+0100 and up, in order.
 */
export const BYTE_TO_CHARACTER: readonly string[] = buildAlphabet()

const CHARACTER_TO_BYTE: ReadonlyMap<string, number> = new Map(BYTE_TO_CHARACTER.map((character, byte) => [character, byte]))

/** Bytes as tokenizer.json writes a token. */
export function toAlphabet (bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    text += BYTE_TO_CHARACTER[byte]
  }
  return text
}

/** Bytes of a token of tokenizer.json; undefined if a character stands for no byte. */
export function fromAlphabet (token: string): Uint8Array | undefined {
  const bytes: number[] = []
  for (const character of token) {
    const byte = CHARACTER_TO_BYTE.get(character)
    if (byte === undefined) {
      return undefined
    }
    bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}

function buildAlphabet (): string[] {
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
    return String.fromCodePoint(printable ? byte : next++)
  })
}
