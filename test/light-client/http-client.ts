import { CID } from 'multiformats/cid'
import { httpGenesis, httpSource, lightClient, fromHex } from '../../src/index.ts'

export interface Verdict {
  chain: string
  height: number
  amount: string
  steps: Array<{ title: string, verified: boolean }>
  /** heights of the first header and of the end of the first epoch, both by history */
  past: number[]
  /** codes of errors: of a past header that is another, of an altered record, and of a score table with another total */
  refusals: string[]
}

/** Runs in the browser, on a page that no node served: why a contribution was paid, by what one node's HTTP says. */
export async function why (url: string, contribution: string, task: string): Promise<Verdict> {
  const genesis = await httpGenesis({ url })
  const source = httpSource({ url })
  const client = lightClient({ genesis, source })
  const [id, cid] = [fromHex(task), CID.parse(contribution)]
  const { amount, steps } = await client.why(id, cid)
  const codeOf = async (lie: Partial<typeof source>): Promise<string> => lightClient({ genesis, source: { ...source, ...lie } }).why(id, cid).then(
    view => view.steps.every(({ verified }) => verified) ? 'believed' : 'a link does not hold', (error: { code?: string }) => error.code ?? String(error)
  )

  const past = [await client.header(1), await client.epochEnd(0)]
  const forged = lightClient({ genesis, source: { ...source, past: async (...args) => { const honest = await source.past(...args); return { ...honest, header: { ...honest.header, stateRoot: new Uint8Array(32) } } } } })

  return {
    chain: genesis.chain,
    height: client.newest?.header.height ?? 0,
    amount,
    steps: steps.map(({ title, verified }) => ({ title, verified })),
    past: past.map(({ header }) => header.height),
    refusals: [
      await forged.header(1).then(() => 'believed', (error: { code?: string }) => error.code ?? String(error)),
      await codeOf({ datum: async (...args) => (await source.datum(...args)).map((byte, i, { length }) => i === length - 1 ? byte ^ 1 : byte) }),
      await codeOf({ scores: async (...args) => { const table = await source.scores(...args); return { ...table, entries: table.entries.map(entry => ({ ...entry, score: entry.score + 1n })) } } })
    ]
  }
}
