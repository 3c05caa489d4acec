/**
 * Answers that are JSON: a schema becomes a grammar over bytes, and the grammar says which tokens
 * may come next. Pure, so that a committee's replay forbids what the gateway forbade. See
 * protocols/json-answer.
 *
 * @example
 * ```ts
 * const constraint = schemaConstraint('{"type":"object","properties":{"name":{"type":"string"}}}', tokenizer)
 * ```
 */
export { schemaConstraint } from './constraint.ts'
export { UnsupportedSchemaError } from './errors.ts'
