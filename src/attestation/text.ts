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

const SEPARATOR = 0
const LETTER = 1
const DIGIT = 2
const WORD = 3

const classify = (code: number): number => {
  if (code >= 0x30 && code <= 0x39) {
    return DIGIT
  }
  if (within(SEPARATORS, code)) {
    return SEPARATOR
  }
  return within(UNSPACED, code) ? WORD : LETTER
}

/** Classes of the code units below the surrogates and above, looked up once per character. */
const classes = Uint8Array.from({ length: 0x10000 }, (_, code) => classify(code))

/** Small letters of Latin-1, Greek and Cyrillic; others stay as they are. */
const fold = (code: number): number => {
  if ((code >= 0x41 && code <= 0x5a) || (code >= 0xc0 && code <= 0xde) || (code >= 0x391 && code <= 0x3a9) || (code >= 0x410 && code <= 0x42f)) {
    return code + 0x20
  }
  return code >= 0x400 && code <= 0x40f ? code + 0x50 : code
}

const foldWord = (word: string): string => {
  let folded = ''
  for (let i = 0; i < word.length; i++) {
    folded += String.fromCharCode(fold(word.charCodeAt(i)))
  }
  return folded
}

const isLead = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00

/** The words of a text: runs of letters and digits, folded, in order. */
export function words (text: string): string[] {
  const found: string[] = []
  let start = -1
  let changes = false
  const close = (end: number): void => {
    if (start !== -1) {
      const word = text.slice(start, end)
      found.push(changes ? foldWord(word) : word)
      start = -1
      changes = false
    }
  }
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    const pair = isLead(unit)
    const kind = pair ? classify(text.codePointAt(at) ?? 0) : classes[unit]
    if (kind === SEPARATOR || kind === WORD) {
      close(at)
      if (kind === WORD) {
        found.push(text.slice(at, pair ? at + 2 : at + 1))
      }
    } else {
      start = start === -1 ? at : start
      changes ||= fold(unit) !== unit
    }
    at += pair ? 1 : 0
  }
  close(text.length)
  return found
}

/** Characters that are no space, and how many of them are letters. */
export function countLetters (text: string): { characters: number, letters: number } {
  let characters = 0
  let letters = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit <= 0x20 || unit === 0xa0 || unit === 0x3000) {
      continue
    }
    const pair = isLead(unit)
    const kind = pair ? classify(text.codePointAt(at) ?? 0) : classes[unit]
    characters++
    letters += kind === LETTER || kind === WORD ? 1 : 0
    at += pair ? 1 : 0
  }
  return { characters, letters }
}
