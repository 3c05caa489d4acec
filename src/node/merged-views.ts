import { accountToString } from '../identity/index.ts'
import { attributeMerged } from '../serving/index.ts'
import { answerColumns } from './answer-columns.ts'
import { shareViews } from './views.ts'
import type { DatanetNode } from './node.ts'
import type { AbortOptions, AnswerParentView, AnswerView } from '../interface/index.ts'
import type { LoadedAdapter, LoadedParent, ParentAttribution } from '../serving/index.ts'

const MILLION = 1_000_000

/**
 * What of an answer and of each of its tokens each adapter of a merge did, and through them each
 * contribution: what a committee would find of this answer alone. The columns are the node's, or fetched.
 */
export async function mergedShares (node: DatanetNode, adapter: LoadedAdapter, answer: { prompt: number[], output: number[] }, options: AbortOptions): Promise<Pick<AnswerView, 'shares' | 'parents' | 'precision' | 'tokens'>> {
  const { parents = [] } = adapter
  const columns = await Promise.all(parents.map(async parent => answerColumns(node, parent.adapter, options).catch(() => parent.adapter.columns)))
  const attribution = attributeMerged(adapter, answer, columns)
  const divided = parents.map((parent, i) => parentView(parent, attribution[i]))
  const sum = (contribution: string, of: (view: AnswerParentView, share: number) => number): number => divided.reduce((sum, view) => {
    const share = view.contributions.find(one => one.contribution === contribution)?.share ?? 0

    return sum + of(view, share)
  }, 0)
  const shares = await shareViews(node, adapter.cid, adapter.snapshot.contributions.map(() => 0))

  return {
    parents: divided,
    tokens: tokenViews(adapter, answer.output, attribution, shares.map(({ contribution }) => contribution)),
    shares: shares.map(one => ({
      ...one,
      share: sum(one.contribution, (_, share) => share),
      influence: sum(one.contribution, (view, share) => view.share > 0 ? Math.max(0, view.effect) * share / view.share : 0)
    })),
    // a parent that was trained here, did something and has no columns is divided by the epoch's replay alone
    precision: parents.every(({ adapter: { record } }, i) => record.type !== 'adapter' || attribution[i].sharePpm === 0 || attribution[i].influence != null) ? 'exact' : 'preview'
  }
}

/** Each token with the contribution that raised it most through all adapters together, and the adapter that did. */
function tokenViews ({ base: { tokenizer }, parents = [] }: LoadedAdapter, output: number[], attribution: ParentAttribution[], contributions: string[]): AnswerView['tokens'] {
  const places = new Map(contributions.map((contribution, place) => [contribution, place]))
  // of each parent's contributions among those of all; the ledger has them all
  const placesOf = parents.map(({ adapter }) => adapter.snapshot.contributions.map(cid => places.get(cid.toString()) ?? -1))

  return output.map((id, token) => {
    const influence = new Float64Array(contributions.length)

    attribution.forEach(({ tokens }, parent) => {
      tokens?.[token].forEach((value, column) => { influence[placesOf[parent][column]] += value })
    })

    const share = largest(influence)

    return { text: tokenizer.tokenText(id), share, influence: share == null ? 0 : influence[share], parent: largest(attribution.map(({ tokenEffects }) => tokenEffects[token])) }
  })
}

/** Where the largest value is; null where none is above zero. */
function largest (values: ArrayLike<number>): number | null {
  const best = Array.from(values).reduce((best, value, i) => value > (values[best] ?? 0) ? i : best, -1)

  return best < 0 ? null : best
}

function parentView ({ adapter: { cid, record, snapshot }, weightMilli }: LoadedParent, { effect, sharePpm, influence }: ParentAttribution): AnswerParentView {
  const positive = (influence ?? []).map(one => Math.max(0, one))
  const whole = positive.reduce((sum, one) => sum + one, 0)
  const share = sharePpm / MILLION

  return {
    adapter: cid.toString(),
    name: record.name,
    developer: record.type === 'base-alone' ? '' : accountToString(record.developer),
    weight: weightMilli / 1000,
    effect,
    share,
    contributions: whole === 0 ? [] : positive.map((one, i) => ({ contribution: snapshot.contributions[i].toString(), share: share * one / whole }))
  }
}
