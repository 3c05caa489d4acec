/**
 * Language models: the Llama family on the deterministic tape, LoRA, tokenizers, generation
 * and its verification, and the objectives that training and attribution differentiate.
 * Pure: bytes in, bytes out.
 *
 * @example
 * ```ts
 * const { model, tokenizer } = loadBase(record, weightsBytes, tokenizerBytes)
 * const prompt = [tokenizer.bos, ...tokenizer.encode('Call me')]
 * const sampler = { temperatureMilli: 0, topK: 0, seed: 0 }
 * const output = [...generate(model, { prompt, maxTokens: 16, sampler })]
 * console.info(tokenizer.decode(output), verifyGeneration(model, { prompt, output, sampler }))
 * ```
 */
export { answerGradient, answerTokenDerivatives, verifiedGradient } from './answer-gradient.ts'
export { arenaBytes as gradientBytes } from './arena.ts'
export { modelPlan, tensorPlans } from './architecture.ts'
export { loadBase, loadChat, loadModel, loadTokenizer, openModel, parseBaseJson } from './base.ts'
export { chatTemplate, defaultChat } from './chat.ts'
export { ENGINE } from './constants.ts'
export { ChatTemplateError, GgufError, LoraShapeError, ModelShapeError, ModelUnsupportedError, SafetensorsError, SettingsError, TokenizerError, TokensError } from './errors.ts'
export { chatExample, parseChat } from './chat-examples.ts'
export { examplesOf } from './examples.ts'
export { checkTokens, forward, forwardWith, keyValueCache, weightValues } from './forward.ts'
export { parseGguf } from './gguf.ts'
export { ggufConfig } from './gguf-config.ts'
export { ggufRopeFactors } from './gguf-rope.ts'
export { ggufTokenizer } from './gguf-tokenizer.ts'
export { answerProbabilities, generate, verifyGeneration } from './generate.ts'
export { parseHuggingFaceConfig } from './huggingface-config.ts'
export { parseHuggingFaceFiles } from './huggingface-files.ts'
export { joinedLora } from './joined-lora.ts'
export { checkConfig, llama, llamaShapes, parameterCount } from './llama.ts'
export { llama2cEntries, llama2cPieces, parseLlama2c, parseLlama2cTokenizer } from './llama2c.ts'
export { loraObjective } from './lora-objective.ts'
export { LORA_TARGETS, initialTheta, loraShape, loraValues } from './lora.ts'
export { adamState, adamStep, cloneAdamState } from './optimiser.ts'
export { answerGradients, mergedTokenDerivatives, verifiedGradients } from './merged-gradient.ts'
export { mergedSafetensors } from './merged-safetensors.ts'
export { exportPeft } from './peft-export.ts'
export { importPeft } from './peft-import.ts'
export { peftToTheta, thetaToPeft } from './peft.ts'
export { adamSettings, trainingPlan } from './plan.ts'
export { presets, recipeOf } from './presets.ts'
export { toTensor } from './read-weight.ts'
export { readBytes, readHead, readSource } from './reading.ts'
export { parseSafetensors, roundToBf16, safetensorsEntries, writeSafetensors } from './safetensors.ts'
export { logProbabilities, sampler, samplerText } from './sampler.ts'
export { parseSentencePiece, sentencePieceTokenizer, writeSentencePiece } from './sentencepiece.ts'
export { ggufName } from './tensor-sources.ts'
export { huggingFaceTokenizer } from './tokenizer-huggingface.ts'
export { trainTokenizer } from './tokenizer-train.ts'
export { clipped, clipping, optimiserStep } from './update.ts'
export { parseTokenizer, tokenizer, writeTokenizer } from './tokenizer.ts'
export { sourcesOf, weightCheck, weightsOf } from './weights.ts'
export type { BaseDescription, LoadedBase } from './base.ts'
export type { GgufHeader, GgufValue } from './gguf.ts'
export type { GgufTokenizer } from './gguf-tokenizer.ts'
export type { ByteSource, Reading } from './reading.ts'
export type { TensorSource } from './read-weight.ts'
export type { Piece, SentencePieceModel } from './sentencepiece.ts'
export type { TensorEntry, TensorType } from './tensor-types.ts'
export type { WeightsFormat } from './weights.ts'
export type { ChatExample, ChatTurn } from './chat-examples.ts'
export type { Examples, ExamplesOptions } from './examples.ts'
export type { Llama2cTokenizer } from './llama2c.ts'
export type { AdamSettings, AdamState } from './optimiser.ts'
export type { MergedDirection } from './merged-gradient.ts'
export type { PeftFiles } from './peft.ts'
export type { TrainingPlan } from './plan.ts'
export type { Clipping, StepSettings } from './update.ts'
export type { SafetensorsLimits, WriteSafetensorsOptions } from './safetensors.ts'
export type { Sampler, SamplerContext, TokenLogProbability, TokenProbabilities } from './sampler.ts'
export type { BpeModel } from './tokenizer.ts'
export type { Place, WeightValues } from './forward.ts'
export type {
  AnswerGradient, ChatMessage, ChatRendering, ChatTemplate, ForwardOptions, GenerateOptions, KeyValueCache, LayerPlan, LlamaModel, Lora, LoraFactor, LoraObjectiveInit,
  LoraShape, LoraTarget, LoraValues, ModelPlan, NormPlan, Preset, ProjectionPlan, Tensor, TensorPlan, Tensors, TokenConstraint, Tokenizer, Verification, VerifyOptions, WeightedLora,
  Weight, Weights
} from './interface.ts'
