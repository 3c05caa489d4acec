import { CID } from 'multiformats/cid'
import { accountToString } from '../identity/index.ts'
import { readAdapter, readChain } from '../ledger/index.ts'
import { divide } from '../scoring/index.ts'
import { MILLION, adapterName, baseGraph, part, person } from './graph-nodes.ts'
import type { DatanetNode } from './node.ts'
import type { Amount, AnswerParentView, AnswerView, GraphNode } from '../interface/index.ts'

/** The fee by the split in force and the answer's own shares: what the epoch's scores would pay if it were alone. */
export async function answerGraph (node: DatanetNode, answer: AnswerView): Promise<GraphNode> {
  const state = node.chain.state()
  const cid = CID.parse(answer.adapter)
  const adapter = readAdapter(state, cid)
  const fee = BigInt(answer.fee)
  const { platform, developers, validators, data } = divide(fee, readChain(state).epochFeeSplit)
  const ofBase = developers / 2n
  const ofAdapter = developers - ofBase

  return {
    kind: 'answer',
    id: answer.receipt,
    title: `answer of ${answer.outputTokens} tokens`,
    amount: answer.fee,
    children: [
      {
        kind: 'adapter',
        id: answer.adapter,
        title: await adapterName(node, cid),
        ...part(fee, ofAdapter + data),
        children: answer.parents == null
          ? [...adapter == null ? [] : [person(accountToString(adapter.developer), 'developer', ofAdapter)], ...contributionGraphs(answer.shares, data)]
          : answer.parents.map(parent => parentGraph(answer, parent, ofAdapter, data))
      },
      ...adapter == null ? [] : [baseGraph(node, adapter, { fee, amount: ofBase })],
      { kind: 'work', id: 'validators', title: 'validators and assessors', ...part(fee, validators), children: [] },
      { kind: 'work', id: 'platform', title: 'treasury', ...part(fee, platform), children: [] }
    ]
  }
}

/** One adapter of a merge: by its part of the answer its developer is paid, and the contributions that it stands on. */
function parentGraph ({ shares }: AnswerView, { adapter, name, developer, weight, share, contributions }: AnswerParentView, ofAdapter: Amount, data: Amount): GraphNode {
  const ppm = ppmOf(share)
  const paid = ofAdapter * ppm / MILLION
  const own = contributions.flatMap(({ contribution, share }) => shares.filter(one => one.contribution === contribution).map(one => ({ ...one, share })))

  return {
    kind: 'adapter',
    id: adapter,
    title: `${weight} × ${name}`,
    sharePpm: Number(ppm),
    amount: `${paid + data * ppm / MILLION}`,
    children: [person(developer, 'developer', paid), ...contributionGraphs(own, data)]
  }
}

function contributionGraphs (shares: AnswerView['shares'], data: Amount): GraphNode[] {
  return shares
    .map(({ contribution, contributor, title, share }) => ({ contribution, contributor, title, ppm: ppmOf(share) }))
    .toSorted((a, b) => Number(b.ppm - a.ppm))
    .map(({ contribution, contributor, title, ppm }): GraphNode => {
      const amount = data * ppm / MILLION

      return { kind: 'contribution', id: contribution, title, sharePpm: Number(ppm), amount: `${amount}`, children: contributor === '' ? [] : [person(contributor, 'contributor', amount)] }
    })
}

const ppmOf = (share: number): bigint => BigInt(Math.floor(share * Number(MILLION)))
