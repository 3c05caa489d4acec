import { CID } from 'multiformats/cid'
import { accountFromString } from '../identity/index.ts'
import { readAdapter } from '../ledger/index.ts'
import { NotFoundError } from './errors.ts'
import { accountGraph } from './graph-account.ts'
import { adapterGraph } from './graph-adapter.ts'
import { answerGraph } from './graph-answer.ts'
import { withQuotes } from './quotes.ts'
import type { DatanetNode } from './node.ts'
import type { AbortOptions, GraphView } from '../interface/index.ts'

/**
 * What is behind an answer of this node, an adapter or an account, layer by layer: adapter,
 * contributions and base model, and whom each belongs to.
 *
 * @param node - whose ledger is read
 * @param id - CID of a receipt of this node or of an adapter, or an account
 * @throws {NotFoundError}
 */
export async function graph (node: DatanetNode, id: string, options: AbortOptions = {}): Promise<GraphView> {
  const account = parsed(() => accountFromString(id))

  if (account != null) {
    return { amounts: 'earned', root: await accountGraph(node, id, account) }
  }

  const cid = parsed(() => CID.parse(id))
  const adapter = cid == null ? undefined : readAdapter(node.chain.state(), cid)

  if (cid != null && adapter != null) {
    return { amounts: 'earned', root: await adapterGraph(node, cid, adapter, options) }
  }

  const answer = cid == null ? undefined : await node.answers.get(cid.toString())

  if (answer == null) {
    throw new NotFoundError('answer, adapter or account', id, 'give the receipt of an answer that this node bought, the CID of an adapter on the ledger, or an account')
  }

  return { amounts: 'expected', root: withQuotes(await answerGraph(node, answer), answer) }
}

function parsed<T> (parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}
