import { TERM_LENGTH_MAX } from './constants.ts'

/**
 * The terms of a text: runs of letters and digits, A to Z made small; beyond ASCII every character
 * counts as a letter, and those of scripts without spaces are terms of their own. By code points
 * and no table, so that every engine cuts alike.
 */
export function termsOf (text: string): string[] {
  const terms: string[] = []
  let term = ''

  const end = (): void => {
    if (term !== '') {
      terms.push(term.slice(0, TERM_LENGTH_MAX))
      term = ''
    }
  }

  for (const character of text) {
    const code = character.codePointAt(0) ?? 0

    if (isAlone(code)) {
      end()
      terms.push(character)
    } else if (isLetter(code)) {
      term += code >= 0x41 && code <= 0x5a ? String.fromCharCode(code + 32) : character
    } else {
      end()
    }
  }

  end()

  return terms
}

function isLetter (code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || (code >= 0xc0 && !isPunctuation(code))
}

/** General punctuation and the space of CJK. */
function isPunctuation (code: number): boolean {
  return (code >= 0x2000 && code <= 0x206f) || (code >= 0x3000 && code <= 0x303f)
}

/** Han, kana, Hangul. */
function isAlone (code: number): boolean {
  return (code >= 0x3040 && code <= 0x9fff) || (code >= 0xac00 && code <= 0xd7af) || (code >= 0xf900 && code <= 0xfaff) || code >= 0x20000
}
