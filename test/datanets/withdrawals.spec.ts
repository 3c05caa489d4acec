import { expect } from 'aegir/chai'
import { alice, bob, curator, validators, attestBody } from '../ledger/network.ts'
import { Swarm, prose, speeches } from './fixtures.ts'
import type { Signer } from '../../src/identity/index.ts'

describe('a snapshot', function () {
  this.timeout(30_000)
  let swarm: Swarm

  beforeEach(() => { swarm = new Swarm() })
  afterEach(async () => swarm.end())

  it('leaves out what was withdrawn, and is of what is left', async () => {
    const { nets, store } = await swarm.node()
    const { datanet } = await nets.create(speeches, curator)
    const admitted = async (signer: Signer, seed: number): Promise<string> => {
      const { contribution } = await nets.contribute({ datanet, title: 'Rows', rows: prose(3, seed), signer })

      for (const one of validators.slice(0, 3)) {
        await swarm.chain.send(attestBody(swarm.chain.state(), contribution), one)
      }

      return contribution.toString()
    }
    const [first, second] = [await admitted(alice, 1), await admitted(bob, 2)]
    const contributions = async (): Promise<string[]> => (await nets.snapshot([datanet])).snapshot.contributions.map(String)

    expect(await contributions()).to.have.members([first, second])

    const [withdrawn] = nets.contributions(datanet).filter(({ contribution }) => contribution.toString() === first)

    expect(await swarm.chain.send({ kind: 'withdraw-contribution', contribution: withdrawn.contribution }, alice)).to.have.property('ok', true)
    expect(await contributions()).to.deep.equal([second])
    // a tombstone: committees still replay what was trained on it
    expect(await nets.holds(withdrawn.contribution)).to.equal(true)
    expect(await store.has(withdrawn.contribution)).to.equal(true)
  })
})
