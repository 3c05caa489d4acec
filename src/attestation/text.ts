/**
 * What counts as letter, digit and word. Own tables instead of `\p{…}`, `normalize` and
 * `toLowerCase`, whose answers change with the Unicode version of the engine: validators must agree.
 */

const SEPARATORS: ReadonlyArray<readonly [number, number]> = [
  [0x00, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0xa9], [0xab, 0xb4], [0xb6, 0xb9], [0xbb, 0xbf],
  [0xd7, 0xd7], [0xf7, 0xf7], [0x2000, 0x2bff], [0x2e00, 0x2e7f], [0x3000, 0x303f],
  [0xd800, 0xf8ff], [0xfe00, 0xfe1f], [0xfe30, 0xfe6f], [0xff00, 0xff0f], [0xff1a, 0xff20], [0xff3b, 0xff40],
  [0xff5b, 0xff65], [0xffe0, 0xffff], [0x1f000, 0x1faff], [0xe0000, 0x10ffff]
]

/** Scripts written without spaces: each character is a word. */
const UNSPACED: ReadonlyArray<readonly [number, number]> = [
  [0x0e00, 0x0eff], [0x1000, 0x109f], [0x1780, 0x17ff], [0x2e80, 0x2fff], [0x3040, 0x312f], [0x31a0, 0x9fff],
  [0xac00, 0xd7af], [0xf900, 0xfaff], [0x20000, 0x3ffff]
]

const within = (ranges: ReadonlyArray<readonly [number, number]>, code: number): boolean => {
  for (const [from, to] of ranges) {
    if (code < from) {
      return false
    }
    if (code <= to) {
      return true
    }
  }
  return false
}

/** Small letters of Latin-1, Greek and Cyrillic; others stay as they are. */
const fold = (code: number): number => {
  if ((code >= 0x41 && code <= 0x5a) || (code >= 0xc0 && code <= 0xde) || (code >= 0x391 && code <= 0x3a9) || (code >= 0x410 && code <= 0x42f)) {
    return code + 0x20
  }
  return code >= 0x400 && code <= 0x40f ? code + 0x50 : code
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

/** The words of a text: runs of letters and digits, folded, in order. */
export function words (text: string): string[] {
  const found: string[] = []
  let word = ''
  const close = (): void => {
    if (word !== '') {
      found.push(word)
      word = ''
    }
  }
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if (within(SEPARATORS, code)) {
      close()
    } else if (within(UNSPACED, code)) {
      close()
      found.push(character)
    } else {
      word += String.fromCodePoint(fold(code))
    }
  }
  close()
  return found
}

/** Characters that are no space, and how many of them are letters. */
export function countLetters (text: string): { characters: number, letters: number } {
  let characters = 0
  let letters = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if (code <= 0x20 || code === 0xa0 || code === 0x3000) {
      continue
    }
    characters++
    if (!within(SEPARATORS, code) && !isDigit(code)) {
      letters++
    }
  }
  return { characters, letters }
}
