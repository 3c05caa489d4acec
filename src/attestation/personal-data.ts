/** Kinds of personal data that the screen knows. */
export type PersonalDataKind = 'email' | 'phone' | 'card' | 'ssn' | 'iban'

// every repetition is bounded and followed by what it cannot contain itself, so that each search is linear
const EMAIL = /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/
const PHONE_INTERNATIONAL = /(?<![0-9A-Za-z])\+[1-9][0-9]{0,2}(?:[ .-]?\(?[0-9]{1,4}\)?){2,5}(?![0-9A-Za-z])/g
const PHONE_NORTH_AMERICA = /(?<![0-9A-Za-z.-])(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-.])[2-9][0-9]{2}[-. ][0-9]{4}(?![0-9A-Za-z-])/
const CARD = /(?<![0-9A-Za-z.-])(?:[0-9][ -]?){12,18}[0-9](?![0-9A-Za-z-])/g
const SSN = /(?<![0-9A-Za-z-])(?!000|666|9[0-9]{2})[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![0-9A-Za-z-])/
const IBAN = /(?<![0-9A-Za-z])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![0-9A-Za-z])/g

const digitsOf = (text: string): string => text.replace(/[^0-9]/g, '')

/** ISO/IEC 7812: the check digit of card numbers. */
const luhn = (digits: string): boolean => {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48
    const doubled = digit * 2 > 9 ? digit * 2 - 9 : digit * 2
    sum += i % 2 === 0 ? digit : doubled
  }
  return sum % 10 === 0
}

/** Payment networks issue 13 to 19 digits beginning with 3, 4, 5 or 6. */
const isCard = (match: string): boolean => {
  const digits = digitsOf(match)
  return /^[3-6]/.test(digits) && digits.length >= 13 && digits.length <= 19 && !/^(.)\1+$/.test(digits) && luhn(digits)
}

/** E.164: at most 15 digits with the country code. */
const isPhone = (match: string): boolean => {
  const { length } = digitsOf(match)
  return length >= 8 && length <= 15
}

/** ISO 13616: remainder 1 modulo 97 after moving the head to the end. */
const isIban = (match: string): boolean => {
  const compact = match.replaceAll(' ', '')
  if (compact.length < 15 || compact.length > 34) {
    return false
  }
  let rest = 0
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const code = character.charCodeAt(0)
    const value = code < 58 ? code - 48 : code - 55
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

const some = (text: string, pattern: RegExp, test: (match: string) => boolean): boolean => {
  for (const [match] of text.matchAll(pattern)) {
    if (test(match)) {
      return true
    }
  }
  return false
}

/**
 * Kinds of personal data in a text: e-mail addresses, telephone numbers, payment cards, US social
 * security numbers and bank accounts. Patterns with check digits, no names: a screen, not a proof.
 */
export function findPersonalData (text: string): PersonalDataKind[] {
  const found: PersonalDataKind[] = []
  if (text.includes('@') && EMAIL.test(text)) {
    found.push('email')
  }
  if (!/[0-9]{2}/.test(text)) {
    return found
  }
  if (PHONE_NORTH_AMERICA.test(text) || some(text, PHONE_INTERNATIONAL, isPhone)) {
    found.push('phone')
  }
  if (some(text, CARD, isCard)) {
    found.push('card')
  }
  if (SSN.test(text)) {
    found.push('ssn')
  }
  if (some(text, IBAN, isIban)) {
    found.push('iban')
  }
  return found
}
