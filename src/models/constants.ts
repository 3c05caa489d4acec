/** The version of everything that decides a training run's bytes. Another engine is another recipe. */
export const ENGINE = 'datanet-engine/1'

/** Steps of captured passes that each of an objective's two tapes keeps, 20 to 40 MB: some hundred lengths of examples of a small model. */
export const CAPTURED_STEPS_MAX = 100_000

/** A safetensors header of our largest model has under 64 KiB; 1 MiB allows 10,000 tensors. */
export const SAFETENSORS_HEADER_BYTES_MAX = 1024 * 1024
/** A 4-million-parameter base in f32 is 16 MiB; 1 GiB leaves room for the models that later issues load. */
export const SAFETENSORS_BYTES_MAX = 1024 * 1024 * 1024
export const SAFETENSORS_TENSORS_MAX = 10_000
/** Tensors of language models have one or two dimensions. */
export const SAFETENSORS_RANK_MAX = 8
/** Names of tensors go into messages; published ones have under 100 characters. */
export const SAFETENSORS_NAME_CHARACTERS_MAX = 1024

/** Vocabularies lie in the header: a quarter of a million tokens with scores and merges are about 12 MiB. */
export const GGUF_HEADER_BYTES_MAX = 64 * 1024 * 1024
/** Files have 20 to 60 keys. */
export const GGUF_KEYS_MAX = 4096
/** The vocabulary, its scores, its types and its merges. */
export const GGUF_ARRAY_MAX = 1_048_576
/** Names of keys and tensors, tokens and merges. */
export const GGUF_KEY_BYTES_MAX = 4096
/** Chat templates and model cards. */
export const GGUF_STRING_BYTES_MAX = 1024 * 1024
/** GGML has four dimensions. */
export const GGUF_DIMENSIONS_MAX = 4
/** Alignment to a page is the most that anybody writes. */
export const GGUF_ALIGNMENT_MAX = 65_536

/** config.json, tokenizer_config.json and adapter_config.json; some carry a chat template or all their added tokens. */
export const CONFIG_BYTES_MAX = 4 * 1024 * 1024

/** Configurations, tokenizers and headers have 4 to 8 levels. */
export const JSON_DEPTH_MAX = 64

/** An adapter of rank 256 on all projections of a model of a billion parameters is about this large. */
export const PEFT_BYTES_MAX = 512 * 1024 * 1024

/** One for each projection of a model of 256 layers, with some room. */
export const PEFT_PATTERN_KEYS_MAX = 2048

/** What one model may take in memory as it is kept: a wasm memory for its products holds no more. */
export const WEIGHTS_MEMORY_BYTES_MAX = 4 * 1024 * 1024 * 1024

/** Bounds of a configuration: what f32 arenas of a few GiB can hold, not a statement about quality. */
export const DIM_MAX = 16_384
export const LAYERS_MAX = 256
export const VOCABULARY_MAX = 262_144
export const CONTEXT_MAX = 131_072

/** Above 256 an adapter of these small bases has as many parameters as the base. */
export const LORA_RANK_MAX = 256

/** A vocabulary of 262,144 tokens with its merges is about 20 MiB of JSON. */
export const TOKENIZER_BYTES_MAX = 32 * 1024 * 1024
/** The longest token of published vocabularies is a row of 128 spaces, or of dashes. */
export const PIECE_BYTES_MAX = 1024
/** The vocabulary with one merge a token, and some that have several ways. */
export const MERGES_MAX = 1_048_576
/** Patterns of published tokenizers have under 500 characters; a longer one is an attack on the engine of regular expressions. */
export const PATTERN_CHARACTERS_MAX = 8192

/** Published templates have 0.3 to 12 KiB. */
export const CHAT_TEMPLATE_BYTES_MAX = 64 * 1024
/** The library looks at the rest of a run of space from each of its characters; published templates have under 100. */
export const CHAT_TEMPLATE_SPACE_MAX = 1024
/** Turns of one chat that a template writes. */
export const TEMPLATE_MESSAGES_MAX = 1024
/** Eight characters for each token of the longest context; rows of data have a quarter of it at most. */
export const CHAT_OUTPUT_CHARACTERS_MAX = 1024 * 1024
/** Templates take 10 to 100 steps a message. */
export const CHAT_STEPS_MAX = 200_000
/** How often each character of a template and of the messages may be in what a step makes: published templates pass it through 10 to 20 nested blocks. */
export const CHAT_WORK_PER_CHARACTER = 64
/** Items of lists that the steps look at: all messages, some times for each of them. */
export const CHAT_ITEMS_MAX = 16 * TEMPLATE_MESSAGES_MAX * TEMPLATE_MESSAGES_MAX
/** Characters of one list with all that it holds, 16 for each item: all messages, marked, and as much again. */
export const CHAT_VALUE_UNITS_MAX = 2 * CHAT_OUTPUT_CHARACTERS_MAX

/** One row or prompt; longer text is cut by the caller before it gets here. */
export const TEXT_CHARACTERS_MAX = 16 * 1024 * 1024

/** Unigram vocabularies weigh all ways to cut a text without spaces, for which some 2 KB a character were seen: longer texts are cut by `unigramParts`. */
export const UNIGRAM_CHARACTERS_MAX = 65_536
/**
 * Code points of one run of letters, digits, punctuation or space. Merging is quadratic in a
 * run's length, so an attacker's megabyte without a space must fall into pieces.
 */
export const RUN_CODEPOINTS_MAX = 64

/** A window shorter than this teaches little and would weigh as much as a full one. */
export const WINDOW_TOKENS_MIN = 16
/** Turns of one conversation: a template may look ahead, so it writes all that precedes for each of the assistant's. */
export const CONVERSATION_TURNS_MAX = 64

/** One unit of the `…Nano` fields of records. */
export const NANO = 1_000_000_000
/** One unit of the `…Milli` fields. */
export const MILLI = 1000
