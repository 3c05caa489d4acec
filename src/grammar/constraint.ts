import { Automaton } from './automaton.ts'
import { GRAMMARS_KEPT_MAX, STATES_SHARED_MAX } from './constants.ts'
import { kindTrie } from './kind-trie.ts'
import { maskOf } from './mask.ts'
import { schemaGrammar } from './schema.ts'
import { vocabularyOf } from './vocabulary.ts'
import type { State } from './automaton.ts'
import type { Grammar } from './grammar.ts'
import type { KindTrie } from './kind-trie.ts'
import type { Vocabulary } from './vocabulary.ts'
import type { TokenConstraint, Tokenizer } from '../models/index.ts'

interface Kept {
  vocabulary: Vocabulary
  grammars: Map<string, Readied>
}

interface Readied {
  grammar: Grammar
  automaton: Automaton
  trie: KindTrie
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
  const { vocabulary, automaton, trie } = readied(schema, tokenizer)
  const ended: State = { stacks: [], final: true, next: [] }
  let state = automaton.start

  return {
    allowed () {
      state.mask ??= maskOf(vocabulary, trie, automaton, state)

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

function readied (schema: string, tokenizer: Tokenizer): Readied & { vocabulary: Vocabulary } {
  const known = kept.get(tokenizer) ?? { vocabulary: vocabularyOf(tokenizer), grammars: new Map() }
  const { vocabulary, grammars } = known
  const found = grammars.get(schema)
  const grammar = found?.grammar ?? schemaGrammar(schema)
  // an answer that runs keeps its own
  const automaton = found == null || found.automaton.size > STATES_SHARED_MAX ? new Automaton(grammar) : found.automaton
  const trie = found?.trie ?? kindTrie(vocabulary, automaton.kinds, automaton.kindCount)

  kept.set(tokenizer, known)
  // last in the map is most recently used
  grammars.delete(schema)
  grammars.set(schema, { grammar, automaton, trie })

  for (const oldest of [...grammars.keys()].slice(0, -GRAMMARS_KEPT_MAX)) {
    grammars.delete(oldest)
  }

  return { vocabulary, grammar, automaton, trie }
}
