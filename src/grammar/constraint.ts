import { Automaton } from './automaton.ts'
import { GRAMMARS_KEPT_MAX, STATES_SHARED_MAX } from './constants.ts'
import { schemaGrammar } from './schema.ts'
import { maskOf, vocabularyOf } from './vocabulary.ts'
import type { State } from './automaton.ts'
import type { Grammar } from './grammar.ts'
import type { Vocabulary } from './vocabulary.ts'
import type { TokenConstraint, Tokenizer } from '../models/index.ts'

interface Kept {
  vocabulary: Vocabulary
  grammars: Map<string, { grammar: Grammar, automaton: Automaton }>
}

/** What was computed before only saves time: answers do not depend on it. */
const kept = new WeakMap<Tokenizer, Kept>()

/**
 * Holds one answer to a JSON Schema. A function of schema and tokenizer alone, so that whoever
 * replays the answer forbids the same tokens.
 *
 * @param schema - as text; `{"type":"object"}` is any object
 * @throws {UnsupportedSchemaError}
 *
 * @example
 * ```ts
 * const constraint = schemaConstraint('{"type":"object"}', tokenizer)
 * for (const token of generate(model, { prompt, maxTokens: 64, sampler, stop: [tokenizer.eos], constraint })) …
 * ```
 */
export function schemaConstraint (schema: string, tokenizer: Tokenizer): TokenConstraint {
  const { vocabulary, automaton } = readied(schema, tokenizer)
  const ended: State = { stacks: [], final: true, next: [] }
  let state = automaton.start

  return {
    allowed () {
      state.mask ??= maskOf(vocabulary, automaton, state)

      return state.mask
    },
    accept (id) {
      if (id === vocabulary.eos) {
        state = ended
        return
      }

      for (const byte of tokenizer.tokenBytes(id)) {
        state = automaton.step(state, byte) ?? ended
      }
    }
  }
}

function readied (schema: string, tokenizer: Tokenizer): { vocabulary: Vocabulary, automaton: Automaton } {
  const known = kept.get(tokenizer) ?? { vocabulary: vocabularyOf(tokenizer), grammars: new Map() }
  const { vocabulary, grammars } = known
  const found = grammars.get(schema)
  const grammar = found?.grammar ?? schemaGrammar(schema)
  // an answer that runs keeps its own
  const automaton = found == null || found.automaton.size > STATES_SHARED_MAX ? new Automaton(grammar) : found.automaton

  kept.set(tokenizer, known)
  // last in the map is most recently used
  grammars.delete(schema)
  grammars.set(schema, { grammar, automaton })

  for (const oldest of [...grammars.keys()].slice(0, -GRAMMARS_KEPT_MAX)) {
    grammars.delete(oldest)
  }

  return { vocabulary, automaton }
}
