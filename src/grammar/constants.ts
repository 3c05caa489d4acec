/** How deep objects and arrays nest where the schema leaves their content open. Finite, so that an answer is. */
export const OPEN_DEPTH_MAX = 8

/** How deep a schema itself may nest. */
export const SCHEMA_DEPTH_MAX = 32

/** Characters of a schema; the record of an answer has room for as many. */
export const SCHEMA_LENGTH_MAX = 8_192

/** Values of an enum, and the most that a schema may count to: each number is a rule. */
export const COUNT_MAX = 256

/** Rules of one grammar: what a schema of 8,192 characters can come to, and more than a useful one has. */
export const RULES_MAX = 5_000

/**
 * Ways to read one beginning that are followed: an enum of 256 values and many optional properties
 * have some hundreds. Lists of look-alikes within each other multiply theirs by each level; where
 * there are more than these, the text does not go on.
 */
export const STACKS_MAX = 512

/** Digits before and behind the point: more than f64 tells apart, and an end to every number. */
export const DIGITS_MAX = 15

/** Tokens below a node from which on it is worth asking whether all of them are taken. */
export const SUBTREE_TOKENS_MIN = 8

/** States that a byte of any kind may lead to for that question: within a string one, and more in the midst of numbers and names. */
export const FRONTIER_STATES_MAX = 4

/** Steps that this question may take in vain, and what each token that it saved a way to adds: where it fails, the walk is as long as without it. */
export const LOOK_AHEAD_STEPS = 4_096
export const STEPS_PER_TOKEN = 2

/** Grammars that are kept for one tokenizer. */
export const GRAMMARS_KEPT_MAX = 16

/** States that answers of one grammar share; beyond them the next answer begins anew. */
export const STATES_SHARED_MAX = 4_096
