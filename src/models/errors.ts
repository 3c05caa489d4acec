import { DatanetError } from '../utils/index.ts'

/** A safetensors file that is malformed or larger than allowed. */
export class SafetensorsError extends DatanetError {
  constructor (message: string, options: { cause?: unknown } = {}) {
    super('ERR_SAFETENSORS_INVALID', message, options)
  }
}

/** A GGUF file that is malformed, cut, larger than allowed, or of a type that we do not read. */
export class GgufError extends DatanetError {
  constructor (message: string, options: { cause?: unknown } = {}) {
    super('ERR_GGUF_INVALID', message, options)
  }
}

/** A model of an architecture or with an option that we do not compute. */
export class ModelUnsupportedError extends DatanetError {
  constructor (message: string) {
    super('ERR_MODEL_UNSUPPORTED', message)
  }
}

/** Weights that do not belong to the configuration they came with. */
export class ModelShapeError extends DatanetError {
  constructor (message: string) {
    super('ERR_MODEL_SHAPE', message)
  }
}

/** Token ids outside the vocabulary, or more of them than the model can see. */
export class TokensError extends DatanetError {
  constructor (message: string) {
    super('ERR_TOKENS_INVALID', message)
  }
}

/** A LoRA shape or theta that does not fit the model. */
export class LoraShapeError extends DatanetError {
  constructor (message: string) {
    super('ERR_LORA_SHAPE', message)
  }
}

/** A tokenizer.json that is malformed, too large, or of a kind that is not supported. */
export class TokenizerError extends DatanetError {
  constructor (message: string, options: { cause?: unknown } = {}) {
    super('ERR_TOKENIZER_INVALID', message, options)
  }
}

/** A chat template that is no Jinja, too large, runs for too long, or refuses the messages. */
export class ChatTemplateError extends DatanetError {
  constructor (message: string, options: { cause?: unknown } = {}) {
    super('ERR_CHAT_TEMPLATE', message, options)
  }
}

/** Sampler settings, presets or recipes out of range. */
export class SettingsError extends DatanetError {
  constructor (message: string) {
    super('ERR_MODEL_SETTINGS', message)
  }
}
