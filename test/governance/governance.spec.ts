import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { applyParams, checkActions, checkParams, countVote, newProposal, proposalStatus, pushCheckpoint, queueProposal, snapshotProposal, votesAt } from '../../src/governance/index.ts'
import type { VotesCheckpoint } from '../../src/governance/index.ts'
import type { NetworkParams } from '../../src/interface/index.ts'

const params: NetworkParams = {
  feeSplit: { platform: 1000, developers: 2000, validators: 2000, data: 5000 },
  epochBlocks: 4,
  commitBlocks: 3,
  revealBlocks: 3,
  openBlocks: 3,
  verdictBlocks: 3,
  challengeBlocks: 2,
  seats: 7,
  traceOpenings: 3,
  redrawsMax: 1,
  contributionDeposit: 1n,
  adapterDeposit: 1n,
  datanetDeposit: 1n,
  assessorStakeMin: 2n,
  slashWrong: 1n,
  slashSilent: 1n,
  challengeBond: 1n,
  plantsPerEpoch: 1,
  plantReward: 1n,
  votingDelayBlocks: 1,
  votingPeriodBlocks: 3,
  timelockBlocks: 2,
  quorumBp: 1000,
  proposalThreshold: 10n,
  feePerByte: 0n,
  feeProposerBp: 5_000,
  validatorsMax: 128,
  validatorStakeMin: 1n,
  unbondEpochs: 3
}
const code = (act: () => void): unknown => {
  try {
    act()
  } catch (err) {
    return err instanceof Error && 'code' in err ? err.code : err
  }
}

describe('params', () => {
  it('refuses what a network could not go on with', () => {
    const wrong: Array<Partial<NetworkParams>> = [
      { feeSplit: { platform: 1000, developers: 2000, validators: 2000, data: 5001 } },
      { feeSplit: { platform: -1000, developers: 4000, validators: 2000, data: 5000 } },
      { feeSplit: { platform: 0.5, developers: 4999.5, validators: 0, data: 5000 } },
      { epochBlocks: 0 },
      { commitBlocks: 0 },
      { seats: 257 },
      { seats: 1.5 },
      { quorumBp: 10_001 },
      { slashWrong: -1n },
      { proposalThreshold: 2n ** 128n }
    ]

    expect(code(() => { checkParams(params) })).to.equal(undefined)

    for (const change of wrong) {
      expect(code(() => { applyParams(params, change) })).to.equal('ERR_PARAMS')
      expect(code(() => { checkActions([{ kind: 'set-params', params: change }], params) })).to.equal('ERR_PARAMS')
    }
  })

  it('refuses parameters that do not exist', () => {
    expect(code(() => { applyParams(params, JSON.parse('{"supply":1}')) })).to.equal('ERR_PARAMS')
  })

  it('changes what is given and nothing else', () => {
    expect(applyParams(params, { seats: 9, quorumBp: undefined })).to.deep.equal({ ...params, seats: 9 })
    expect(params.seats).to.equal(7)
  })

  it('refuses proposals of nothing or of too much', () => {
    expect(code(() => { checkActions([], params) })).to.equal('ERR_ACTIONS')
    expect(code(() => { checkActions(Array.from({ length: 17 }, () => ({ kind: 'set-params', params: { seats: 3 } })), params) })).to.equal('ERR_ACTIONS')
  })
})

describe('proposalStatus', () => {
  const proposal = snapshotProposal(newProposal({ proposer: new Uint8Array(32), title: 't', actions: [], height: 10 }, params), 1000n, 1000)

  it('follows the heights: delay, vote, decision, timelock', () => {
    const won = countVote(proposal, 'for', 100n)
    const status = (height: number): string => proposalStatus(won, height)

    expect([10, 11, 12, 14, 15].map(status)).to.deep.equal(['pending', 'pending', 'active', 'active', 'succeeded'])
    expect(queueProposal(won, 20, 2).eta).to.equal(22)
    expect(proposalStatus(queueProposal(won, 20, 2), 20)).to.equal('queued')
    expect(proposalStatus({ ...won, executed: true }, 30)).to.equal('executed')
  })

  it('counts for and abstain towards the quorum, and needs more for than against', () => {
    const after = (votes: Array<['for' | 'against' | 'abstain', bigint]>): string => proposalStatus(votes.reduce((one, [support, weight]) => countVote(one, support, weight), proposal), 15)

    expect(after([['for', 100n]])).to.equal('succeeded')
    expect(after([['for', 99n]])).to.equal('defeated')
    expect(after([['for', 1n], ['abstain', 99n]])).to.equal('succeeded')
    expect(after([['for', 99n], ['against', 98n]])).to.equal('defeated')
    expect(after([['for', 100n], ['against', 100n]])).to.equal('defeated')
    expect(after([['abstain', 500n]])).to.equal('defeated')
  })
})

describe('votesAt', () => {
  it('gives the votes at each snapshot that was announced, from a history as short as can be', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(3), fc.bigInt(0n, 9n)), { maxLength: 30 }), fc.array(fc.nat(60), { maxLength: 4 }), (changes, snapshots) => {
      const full: VotesCheckpoint[] = []
      let kept: VotesCheckpoint[] = []
      let height = 0

      for (const [step, votes] of changes) {
        height += step
        full.push({ height, votes })
        kept = pushCheckpoint(kept, height, votes, snapshots)
        expect(kept.length).to.be.at.most(new Set(snapshots).size + 1)
      }

      for (const snapshot of snapshots) {
        expect(votesAt(kept, snapshot)).to.equal(full.findLast(one => one.height <= snapshot)?.votes ?? 0n)
      }
    }))
  })
})
