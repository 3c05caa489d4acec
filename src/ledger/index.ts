/**
 * The network's embedded ledger: accounts, Datanets, adapters, channels, tasks of attribution and
 * their settlement, and gOPEN votes, as a pure function from state and block to state. All that a
 * light client may ask about is in one authenticated map.
 *
 * The rules and the cost of each record are in protocols/ledger/ledger.md, the map and its proofs
 * in protocols/state/state.md.
 *
 * @example
 * ```ts
 * let state = genesisState(genesis)
 * checkTransaction(state, signed) // for the mempool: throws named errors
 *
 * const { state: next, results, events } = executeBlock(state, { height: 1, proposer, beaconSignature, transactions: [signed] })
 *
 * stateRoot(next) // for the header
 * readAccount(next, account).balance
 * verifyStateProof(stateRoot(next), next.map.prove(stateKeys.account(account))) // true
 * ```
 */
export { authenticatedMap } from './authenticated-map.ts'
export { executeBlock } from './block.ts'
export { feeMin } from './fees.ts'
export { channelId } from './channels.ts'
export { checkFee, checkTransaction, isIncludable } from './check.ts'
export { REDEMPTION_RECEIPTS_MAX, STATE_PROOF_BYTES_MAX } from './constants.ts'
export { BlockError, GenesisError, InsufficientFundsError, RuleError, SnapshotError, StateKeyError, StateValueError, UnincludableError } from './errors.ts'
export { genesisState } from './genesis.ts'
export { historyGrowth, historyNodes } from './history.ts'
export { taskHolding, totalHoldings } from './holdings.ts'
export { stateKeys, statePrefixes } from './keys.ts'
export { appendLeaf, bagPeaks, pathNodes } from './mountain-range.ts'
export {
  listAccounts, listAdapters, listAssessors, listAttestations, listBases, listCandidates, listChannels, listContributions, listDatanets, listPayouts, listPlants, listProposals,
  listTasks, listUnbonding, listWaiting, readAccount, readAdapter, readAttestation, readBallot, readBase, readBond, readCandidate, readChain, readChannel, readContribution, readConviction, readDatanet, readHistory,
  readImported, readMerge, readNextValidators, readOwner, readPayout, readPlant, readPlanters, readProposal, readProposalStatus, readTask, readUnbonding, readValidators, readVotes
} from './readers.ts'
export { decodeSnapshot, encodeSnapshot } from './snapshot.ts'
export { decodeState, encodeState, stateRoot } from './state.ts'
export { stateCodecs } from './values.ts'
export { verifyStateProof } from './verify-state-proof.ts'
export type { RuleCode } from './errors.ts'
export type { AuthenticatedMap, BallotState, BlockInput, BlockOutcome, CheckOptions, HistoryGrowth, HistoryPeaks, HistoryState, Holdings, LedgerState } from './interface.ts'
export type { HashedNode, RangeNode } from './mountain-range.ts'
