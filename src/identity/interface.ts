import type { Account } from '../interface/index.ts'

/** An account that can sign. Does not give away its key. */
export interface Signer {
  readonly account: Account
  /** Ed25519, 64 bytes, deterministic (RFC 8032) */
  sign (message: Uint8Array): Uint8Array
}

/** Ed25519. */
export interface Ed25519 {
  /**
   * @param seed - 32 bytes
   * @throws {InvalidKeyError}
   */
  publicKeyOf (seed: Uint8Array): Account

  /**
   * Signs with one key: reading it takes twice as long as a signature, so it is read once. It stays in
   * memory as long as what is returned.
   *
   * @param seed - 32 bytes; copied
   * @returns from a message to 64 bytes, deterministic
   * @throws {InvalidKeyError}
   */
  signerOf (seed: Uint8Array): (message: Uint8Array) => Uint8Array

  /**
   * RFC 8032 without cofactor, and stricter, so that all implementations agree on every input:
   * public keys must be canonical and not of small order. Never throws.
   */
  verify (account: Account, message: Uint8Array, signature: Uint8Array): boolean
}

/**
 * BLS12-381 with public keys in G1 (96 bytes, uncompressed) and signatures in G2 (96 bytes, compressed);
 * ciphersuite BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_ of draft-irtf-cfrg-bls-signature.
 * All implementations give the same bytes and the same verdicts.
 *
 * Points outside the prime-order subgroup and at infinity are refused everywhere.
 */
export interface Bls {
  /**
   * @param secretKey - 32 bytes, big-endian, 1 to the group order - 1
   * @returns 96 bytes
   * @throws {InvalidKeyError}
   */
  publicKeyOf (secretKey: Uint8Array): Uint8Array

  /**
   * @returns 96 bytes, deterministic
   * @throws {InvalidKeyError}
   */
  sign (secretKey: Uint8Array, message: Uint8Array): Uint8Array

  /** Never throws. */
  verify (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean

  /**
   * Sum of signatures.
   *
   * @throws {InvalidSignatureError} if there are none or one is no point of the subgroup
   */
  aggregate (signatures: Uint8Array[]): Uint8Array

  /**
   * Is this the aggregate of one signature of each key over the same message? Safe only for keys
   * whose possession was verified. No keys: false. Never throws.
   */
  fastAggregateVerify (publicKeys: Uint8Array[], message: Uint8Array, signature: Uint8Array): boolean

  /**
   * Takes keys as good without the check of their subgroup, which is most of the cost of reading
   * one. Only for the keys of a set that a certified hash commits to: they were checked, with their
   * possession, before they got into it.
   */
  trust (publicKeys: Uint8Array[]): void

  /**
   * Proof of possession: the signature over `datanet/possession/1`, the public key and the account
   * that owns it, if one does, so that nobody else can register the key with it. The domain stands
   * in for the draft's second ciphersuite tag, which blst does not let us set.
   *
   * @returns 96 bytes
   * @throws {InvalidKeyError}
   */
  possess (secretKey: Uint8Array, owner?: Account): Uint8Array

  /** Without this check a rogue key forges aggregates. Never throws. */
  verifyPossession (publicKey: Uint8Array, possession: Uint8Array, owner?: Account): boolean
}
