import { QUOTES_SHOWN_MAX } from './constants.ts'
import type { AnswerView, GraphNode, QuoteView } from '../interface/index.ts'

/**
 * Words of answers that a contribution has as they are, the rarest first; of the same words in
 * several answers, the first answer's.
 */
export function quotesOf (answers: readonly AnswerView[], contribution: string): QuoteView[] {
  const quotes = new Map<string, QuoteView>()

  for (const { receipt, spans = [] } of answers) {
    for (const { text, count, rarityBits, citations } of spans) {
      const cited = citations.find(citation => citation.contribution === contribution)

      if (cited != null && !quotes.has(text)) {
        quotes.set(text, { receipt, text, count, rarityBits, row: cited.row, before: cited.before, after: cited.after })
      }
    }
  }

  return [...quotes.values()].toSorted((a, b) => b.rarityBits - a.rarityBits).slice(0, QUOTES_SHOWN_MAX)
}

/** The graph of an answer with what it quotes at each contribution; those that are only quoted come last below its adapter. */
export function withQuotes (root: GraphNode, answer: AnswerView): GraphNode {
  const seen = new Set<string>()
  const visit = (node: GraphNode): GraphNode => {
    const quotes = node.kind === 'contribution' ? quotesOf([answer], node.id) : []

    seen.add(node.id)

    return { ...node, ...(quotes.length > 0 ? { quotes } : {}), children: node.children.map(visit) }
  }
  const graph = visit(root)
  const cited = new Map((answer.spans ?? []).flatMap(({ citations }) => citations).map(({ contribution, title }) => [contribution, title]))
  const others = [...cited].filter(([contribution]) => !seen.has(contribution))
    .map(([id, title]): GraphNode => ({ kind: 'contribution', id, title, quotes: quotesOf([answer], id), children: [] }))

  return { ...graph, children: graph.children.map(node => node.id === answer.adapter ? { ...node, children: [...node.children, ...others] } : node) }
}
