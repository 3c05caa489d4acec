import { DatanetError } from '../utils/index.ts'

/** A record whose signature does not fit its bytes, its domain or its signer. */
export class SignatureError extends DatanetError {
  constructor (domain: string, account: string) {
    super('ERR_SIGNATURE', `expected an Ed25519 signature of ${account} with domain ${domain}, got one that does not verify`, { hint: 'sign the record again; do not change it afterwards' })
  }
}

/** A record signed by somebody else than the account it names. */
export class WrongAuthorError extends DatanetError {
  constructor (domain: string, expected: string, got: string) {
    super('ERR_WRONG_AUTHOR', `expected a record of ${domain} signed by ${expected}, got one signed by ${got}`)
  }
}

/** Bytes that are no key, or not the text of an account. */
export class InvalidKeyError extends DatanetError {
  constructor (expected: string, got: string, options: { cause?: unknown } = {}) {
    super('ERR_INVALID_KEY', `expected ${expected}, got ${got}`, options)
  }
}

/** Bytes that are no BLS signature, or nothing to aggregate. */
export class InvalidSignatureError extends DatanetError {
  constructor (expected: string, got: string, options: { cause?: unknown } = {}) {
    super('ERR_INVALID_SIGNATURE', `expected ${expected}, got ${got}`, options)
  }
}
