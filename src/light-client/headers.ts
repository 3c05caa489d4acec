import { certificateValid, finalityValid, signedStake, signersOf, totalStake } from '../consensus/index.ts'
import { bls } from '../identity/index.ts'
import { equalBytes, headerHash, validatorsHash } from '../wire/index.ts'
import { DESCENDANTS_MAX } from './constants.ts'
import { CertificateError, ValidatorSetError, WrongChainError } from './errors.ts'
import type { CertifiedHeader, EraChange, Hash, Header, Validator } from '../interface/index.ts'

/** The first set that is believed, and its era: that of the genesis, or of a checkpoint. */
export interface Anchor {
  era: number
  validators: Validator[]
}

/** Verifies headers from an anchor on. Remembers the validator sets that certified headers led to. */
export interface HeaderVerifier {
  /** the last header of each era that was followed, oldest first */
  readonly lasts: readonly CertifiedHeader[]
  /** the newest era whose set is known */
  readonly era: number
  /**
   * Takes over the set of the next era, if the set before it certified its hash.
   *
   * @throws {CertificateError | WrongChainError | ValidatorSetError | MalformedRecordError}
   */
  follow (change: EraChange): void
  /**
   * The set that certifies a header.
   *
   * @throws {ValidatorSetError} if its era is not known
   */
  validatorsOf (header: Header): Validator[]
  /**
   * Throws unless the header is final by its own certificate.
   *
   * @throws {CertificateError | WrongChainError | ValidatorSetError | MalformedRecordError}
   */
  verify (certified: CertifiedHeader): void
  /**
   * Throws unless the first header is final through the last one's certificate.
   *
   * @throws {CertificateError | WrongChainError | ValidatorSetError | MalformedRecordError}
   */
  verifyDescent (chain: CertifiedHeader[]): void
  signersOf (certified: CertifiedHeader): { signers: number, validators: number, stake: bigint, totalStake: bigint }
  /** Who signed the certificate; nobody if it does not verify, so that no one is accused by a bitmap alone. */
  provenSigners (certified: CertifiedHeader): Validator[]
}

export function headerVerifier (chain: string, anchor: Anchor): HeaderVerifier {
  // sets are small and change at most once an epoch
  const sets = new Map([[anchor.era, anchor.validators]])
  const lasts: CertifiedHeader[] = []
  const newestEra = (): number => anchor.era + lasts.length

  function validatorsOf (header: Header): Validator[] {
    const validators = sets.get(header.era)

    if (validators === undefined) {
      throw new ValidatorSetError(header.height)
    }

    return validators
  }

  function checkHeader (header: Header): Hash {
    // refuses malformed headers, whatever decoded them
    const hash = headerHash(header)

    if (header.chain !== chain) {
      throw new WrongChainError(chain, header.chain)
    }

    validatorsOf(header)

    return hash
  }

  function verify (certified: CertifiedHeader): void {
    const { header, certificate } = certified
    const hash = checkHeader(header)

    if (certificate.kind !== 'finalize') {
      throw new CertificateError(header.height, `it is a ${certificate.kind} certificate`)
    }

    if (certificate.era !== header.era || certificate.view < header.view || !equalBytes(certificate.blockHash, hash)) {
      throw new CertificateError(header.height, 'it certifies another block')
    }

    if (!certificateValid(certificate, validatorsOf(header), bls, chain)) {
      throw new CertificateError(header.height, 'its signers or its signature are wrong')
    }
  }

  function verifyDescent (headers: CertifiedHeader[]): void {
    const [first] = headers
    const last = headers[headers.length - 1]

    if (headers.length > DESCENDANTS_MAX) {
      throw new CertificateError(first.header.height, `none of its first ${DESCENDANTS_MAX} descendants is final`)
    }

    const hashed = headers.map(({ header }) => ({ header, hash: checkHeader(header) }))

    if (!finalityValid(hashed, last.certificate, validatorsOf(first.header), bls, chain)) {
      throw new CertificateError(first.header.height, 'its descendants do not make it final')
    }
  }

  return {
    get era () {
      return newestEra()
    },
    lasts,
    follow ({ last, validators }) {
      verify(last)

      if (last.header.era !== newestEra() || !equalBytes(validatorsHash(validators), last.header.validatorsHash)) {
        throw new ValidatorSetError(last.header.height)
      }

      // the ledger checked each key before it let it in, and more than two thirds certified its hash
      bls.trust(validators.map(({ blsPublicKey }) => blsPublicKey))
      lasts.push(last)
      sets.set(newestEra(), validators)
    },
    validatorsOf,
    verify,
    verifyDescent,
    signersOf: ({ header, certificate }) => {
      const validators = validatorsOf(header)

      return {
        signers: signersOf(certificate.signers, validators.length)?.length ?? 0,
        validators: validators.length,
        stake: signedStake(certificate, validators),
        totalStake: totalStake(validators)
      }
    },
    provenSigners ({ header, certificate }) {
      const validators = sets.get(header.era)

      if (validators === undefined || !equalBytes(certificate.blockHash, headerHash(header)) || !certificateValid(certificate, validators, bls, chain)) {
        return []
      }

      return (signersOf(certificate.signers, validators.length) ?? []).map(i => validators[i])
    }
  }
}
