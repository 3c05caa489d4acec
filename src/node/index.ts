/**
 * One node: keys, configuration and all services wired together, and what people and programs see
 * of it.
 *
 * @example
 * ```ts
 * const node = await openNode({ dataDir })
 * await node.start()
 * console.info(statusView(node).height)
 * ```
 */
export { answerColumns } from './answer-columns.ts'
export { exportAdapter, pullAdapter } from './adapter-files.ts'
export { importAdapter, publishAdapter } from './adapters-import.ts'
export { adapterIndex } from './adapters-index.ts'
export { mergeAdapters, mergeParents, parseMerge } from './adapters-merge.ts'
export type { NamedParent } from './adapters-merge.ts'
export { ask, preparedQuestion, questionOf } from './ask.ts'
export { importBase, packageRoot, shippedBase } from './base-model.ts'
export { forkReports, reportFork } from './fork-reports.ts'
export { lightAnswers } from './light-answers.ts'
export { checkConfig, defaultConfig, readBounded, readConfig, writeConfig, writeWhole } from './config.ts'
export { PRICE_DEFAULT } from './constants.ts'
export * from './errors.ts'
export { defaultParams, newGenesis, privateParams, SUPPLY, validatorInfo, writeGenesis } from './genesis.ts'
export { graph } from './graph.ts'
export { importModel } from './import-model.ts'
export { openKeychain } from './keychain.ts'
export { openModelFiles } from './model-files.ts'
export { openNode, readGenesis } from './node.ts'
export { lightNode } from './light-node.ts'
export { importSigningFile, readSigningFile } from './signing-file.ts'
export { offlineStore } from './offline-store.ts'
export { adapterDetail, adapterRegistry } from './registry.ts'
export { spanIndexes } from './span-index.ts'
export { toJson } from './to-json.ts'
export { trainings } from './trainings.ts'
export { accountView, adapterViews, baseViews, contributionViews, datanetViews, presetViews, proposalViews, statusView, taskViews, walletView } from './views.ts'
export { taskDetail, validatorViews } from './validators-view.ts'
export { verifiedSource, why } from './why.ts'
export type { ColumnSources } from './answer-columns.ts'
export type { AdapterIndex } from './adapters-index.ts'
export type { IndexedAdapter } from './indexed-adapter.ts'
export type { PullOptions } from './adapter-files.ts'
export type { AnswerPiece, AskingOptions } from './ask.ts'
export type { NodeConfig } from './config.ts'
export type { NodeEventMap, NodeEvents } from './events.ts'
export type { LightNode, LightNodeInit } from './light-node.ts'
export type { ImportedModel, ImportModelOptions } from './import-model.ts'
export type { ModelFiles, ModelFilesOptions } from './model-files.ts'
export type { Keychain } from './keychain.ts'
export type { DatanetNode, NodeInit } from './node.ts'
export type { AdapterFilter } from './registry.ts'
export type { SnapshotSpans, SpanIndexes, SpanIndexesComponents } from './span-index.ts'
export type { StartTraining, Trainings, TrainingsComponents, TrainingsInit } from './trainings.ts'
export type { TaskDetailView, UnbondingView, ValidatorStakeView } from './validators-view.ts'
export type { AccountView } from '../interface/index.ts'
