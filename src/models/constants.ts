/** The version of everything that decides a training run's bytes. Another engine is another recipe. */
export const ENGINE = 'datanet-engine/1'

/** A safetensors header of our largest model has under 64 KiB; 1 MiB allows 10,000 tensors. */
export const SAFETENSORS_HEADER_BYTES_MAX = 1024 * 1024
/** A 4-million-parameter base in f32 is 16 MiB; 1 GiB leaves room for the models that later issues load. */
export const SAFETENSORS_BYTES_MAX = 1024 * 1024 * 1024
export const SAFETENSORS_TENSORS_MAX = 10_000
/** Tensors of language models have one or two dimensions. */
export const SAFETENSORS_RANK_MAX = 8

/** Bounds of a configuration: what f32 arenas of a few GiB can hold, not a statement about quality. */
export const DIM_MAX = 16_384
export const LAYERS_MAX = 256
export const VOCABULARY_MAX = 262_144
export const CONTEXT_MAX = 131_072

/** Above 256 an adapter of these small bases has as many parameters as the base. */
export const LORA_RANK_MAX = 256

/** A vocabulary of 262,144 tokens with its merges is about 20 MiB of JSON. */
export const TOKENIZER_BYTES_MAX = 32 * 1024 * 1024
/** One row or prompt; longer text is cut by the caller before it gets here. */
export const TEXT_CHARACTERS_MAX = 16 * 1024 * 1024
/**
 * Code points of one run of letters, digits, punctuation or space. Merging is quadratic in a
 * run's length, so an attacker's megabyte without a space must fall into pieces.
 */
export const RUN_CODEPOINTS_MAX = 64

/** A window shorter than this teaches little and would weigh as much as a full one. */
export const WINDOW_TOKENS_MIN = 16
/** Turns of one conversation: finding what counts renders it anew for each of the assistant's. */
export const CONVERSATION_TURNS_MAX = 64

/** One unit of the `…Nano` fields of records. */
export const NANO = 1_000_000_000
