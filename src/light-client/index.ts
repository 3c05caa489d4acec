/**
 * A light client: follows certified headers and reads the state by proof. It believes the genesis
 * and nothing else, stores nothing itself, and runs in browsers.
 *
 * @example
 * ```ts
 * const client = lightClient({ genesis, source })
 * const { header } = await client.sync()
 * const { value } = await client.account(account) // null if proven absent
 * const { steps } = await client.why(task, contribution)
 * ```
 */
export { lightClient } from './light-client.ts'
export {
  CertificateError, CheckpointError, ForkError, HistoryProofError, HttpSourceError, NotPaidError, OutcomeProofError, SourceError, StaleSourceError, StateProofError, TrustExpiredError, ValidatorSetError, WitnessError, WrongChainError
} from './errors.ts'
export { forkEvidenceCodec } from './evidence.ts'
export { httpGenesis, httpSource } from './http-source.ts'
export { trustedHeaderCodec } from './trusted.ts'
export type { Checkpoint, FinalHeader, ForkEvidence, HeaderSource, LightClient, LightClientInit, Proven, ReadOptions, TrustedHeader, Trusting } from './interface.ts'
export type { HttpSourceInit } from './http-source.ts'
