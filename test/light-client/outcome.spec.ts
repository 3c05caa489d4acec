import { expect } from 'aegir/chai'
import { genesisState } from '../../src/ledger/index.ts'
import { CertificateError, lightClient, OutcomeProofError, SourceError } from '../../src/light-client/index.ts'
import { cidOf, outcomesRoot, proveOutcome, utf8 } from '../../src/wire/index.ts'
import { genesisOf, testSource } from './chain.ts'
import type { TestSource } from './chain.ts'
import type { OutcomeProof, TransactionResult } from '../../src/interface/index.ts'

const genesis = genesisOf()
const { map } = genesisState(genesis)
const results: TransactionResult[] = ['one', 'two', 'three'].map((name, i) => ({ id: cidOf(utf8(name)), ok: i !== 1, code: i === 1 ? 'ERR_NONCE' : undefined, fee: 7n }))

describe('outcomes of transactions for a light client', () => {
  let source: TestSource
  let proof: OutcomeProof

  beforeEach(() => {
    source = testSource()
    source.add(5, map, { header: { outcomesRoot: outcomesRoot(results) } })
    source.add(6, map)
    proof = proveOutcome(5, results, 1)
    source.outcome = async () => proof
  })

  it('are proven by the header of their block', async () => {
    const { value, at } = await lightClient({ genesis, source }).outcome(results[1].id)

    expect(value).to.deep.equal({ id: results[1].id, ok: false, code: 'ERR_NONCE', fee: 7n })
    expect(at.header.height).to.equal(5)
  })

  it('are refused after any lie', async () => {
    const honest = proof
    const lies: OutcomeProof[] = [
      { ...honest, outcome: { ...honest.outcome, ok: true, code: null } },
      { ...honest, outcome: { ...honest.outcome, fee: 0n } },
      { ...honest, height: 6 },
      { ...honest, index: 0 },
      { ...honest, proof: honest.proof.slice(1) },
      proveOutcome(5, results, 2)
    ]

    for (const lie of lies) {
      proof = lie
      const error = await lightClient({ genesis, source }).outcome(results[1].id).catch((err: unknown) => err)
      expect(error).to.be.instanceOf(OutcomeProofError)
    }
  })

  it('are refused of a block that nobody certified', async () => {
    source.add(5, map, { signers: [0], header: { outcomesRoot: outcomesRoot(results) } })
    await expect(lightClient({ genesis, source }).outcome(results[1].id)).to.eventually.be.rejected.and.be.instanceOf(CertificateError)
  })

  it('need a source that has them', async () => {
    delete source.outcome
    await expect(lightClient({ genesis, source }).outcome(results[1].id)).to.eventually.be.rejected.and.be.instanceOf(SourceError)
  })
})
