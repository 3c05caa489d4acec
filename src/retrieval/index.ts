/**
 * Retrieval of rows for a question: which rows of a Datanet fit it best, and how a prompt shows
 * them. Pure, so that a committee finds the same rows. See protocols/retrieval.
 *
 * @example
 * ```ts
 * const part = indexPart()
 * texts.forEach(text => { part.add(text) })
 * const hits = search([part.end()], queryOf(question), 4)
 * const asked = questionWith(question, hits.map(({ text }) => text))
 * ```
 */
export { ROWS_MAX } from './constants.ts'
export { indexPart } from './part.ts'
export { queryOf, questionWith, shownWith } from './prompt.ts'
export { search } from './search.ts'
export { termsOf } from './terms.ts'
export type { IndexPart, PartBuilder } from './part.ts'
export type { Question } from './prompt.ts'
export type { Hit } from './search.ts'
