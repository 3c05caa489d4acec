import assert from 'node:assert/strict'
import { proposalCodec, voteCodec } from '../../src/consensus/index.ts'
import { bls, blsSecretKey, deriveSeed } from '../../src/identity/index.ts'
import { certificateCodec, headerHash } from '../../src/wire/index.ts'
import { mumbling, returning } from './returning.ts'
import { drawEras, livenessViolations, simulate, tryEras, trySeed } from './simulator.ts'
import type { Crypto, Scenario } from './interface.ts'
import type { ConsensusInput } from '../../src/consensus/index.ts'

const ones = (n: number): bigint[] => new Array<bigint>(n).fill(1n)

const stormy: Omit<Scenario, 'seed' | 'villains'> = { stakes: ones(4), chaosMs: 40_000, calmMs: 60_000, untilHealed: true, crashes: false }

const failing: Omit<Scenario, 'seed' | 'villains'> = { ...stormy, crashes: true, diskFaults: true, dropPermille: 300, delayMaxMs: 1_500, calmMs: 120_000 }

const forks = (seed: number, change: Partial<Scenario>): boolean =>
  simulate({ ...stormy, seed, villains: {}, ...change }).violations.some(violation => violation.includes('FORK'))

/** What crosses the wire is encoded and decoded by the real codecs. */
const transmit = (input: ConsensusInput): ConsensusInput => {
  if (input.type === 'vote') {
    return { ...input, vote: voteCodec.decode(voteCodec.encode(input.vote)) }
  }

  if (input.type === 'certificate') {
    return { ...input, certificate: certificateCodec.decode(certificateCodec.encode(input.certificate)) }
  }

  if (input.type === 'proposal') {
    const { header, vote, justification } = input.proposal
    const decoded = proposalCodec.decode(proposalCodec.encode({ block: { header, beaconSignature: new Uint8Array(96), transactions: [] }, vote, justification }))

    return { ...input, proposal: { header: decoded.block.header, vote: decoded.vote, justification: decoded.justification } }
  }

  return input
}

const realCrypto = (n: number): Crypto => {
  const secrets = Array.from({ length: n }, (_, i) => blsSecretKey(deriveSeed(new Uint8Array(32), `validator/${i}`)))

  return {
    validators: secrets.map((secret, i) => ({
      account: new Uint8Array(32).fill(i + 1),
      blsPublicKey: bls.publicKeyOf(secret),
      possession: bls.possess(secret),
      stake: 1n
    })),
    bls,
    signers: secrets.map(secret => ({ sign: message => bls.sign(secret, message) })),
    hash: headerHash,
    transmit
  }
}

describe('consensus in the simulator', () => {
  it('keeps its promises whatever villains, network and crashes do', () => {
    const wrong: string[] = []

    for (let seed = 1; seed <= 80; seed++) {
      wrong.push(...trySeed(seed))
    }

    assert.deepEqual(wrong, [], wrong.join('\n'))
  })

  it('keeps its promises while sets of validators change', () => {
    const wrong: string[] = []
    let eras = 0

    for (let seed = 1; seed <= 20; seed++) {
      wrong.push(...tryEras(seed))
      eras += simulate(drawEras(seed)).era
    }

    assert.deepEqual(wrong, [], wrong.join('\n'))
    assert.ok(eras > 20, `${eras}`)
  })

  it('lets an era end behind a leader that will not have it so', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { villains } = drawEras(seed)

      assert.deepEqual(tryEras(seed, { villains: Object.fromEntries(Object.keys(villains).map(who => [who, 'overrunner'])) }), [])
    }
  })

  it('asks for a notarization that one node lost with its disk, where all honest stake is needed', () => {
    assert.deepEqual(trySeed(46_314), [])
  })

  it('does the same again for the same seed', () => {
    const scenario: Scenario = { ...stormy, crashes: true, seed: 7, villains: { 2: 'equivocator' } }

    assert.deepEqual(simulate(scenario), simulate(scenario))
  })

  it('survives f twins and convicts them', () => {
    let convicted = 0

    for (let seed = 1; seed <= 6; seed++) {
      const report = simulate({ ...stormy, seed, villains: { [seed % 4]: 'twin' } })

      assert.deepEqual([...report.violations, ...livenessViolations(report)], [], `seed ${seed}`)
      convicted += report.convicted.length
    }

    assert.ok(convicted > 0)
  })

  it('forks with f + 1 twins, as every protocol must', () => {
    const seeds = Array.from({ length: 12 }, (_, i) => i + 1)

    assert.ok(seeds.some(seed => forks(seed, { villains: { 0: 'twin', 1: 'twin' } })))
  })

  it('leaves enough with honest nodes to convict whoever made a fork, and nobody else', () => {
    const found: number[][] = []

    for (let seed = 1; seed <= 12; seed++) {
      const { violations, culprits } = simulate({ ...stormy, seed, villains: { 0: 'twin', 1: 'twin' } })

      found.push(...violations.some(violation => violation.includes('FORK')) ? [culprits] : [])
    }

    assert.ok(found.length > 0)
    // both, which are more than a third of the stake
    found.forEach(culprits => { assert.deepEqual(culprits, [0, 1]) })
  })

  it('survives f colluders and forks with more', () => {
    const seeds = Array.from({ length: 24 }, (_, i) => i + 1)
    const forksWith = (villains: Scenario['villains']) => (seed: number): boolean => forks(seed, { stakes: ones(7), villains })
    const found = seeds.find(forksWith({ 0: 'colluder', 1: 'colluder', 2: 'colluder' }))

    assert.ok(found !== undefined)
    assert.ok(![found, 8, 17, 19].some(forksWith({ 0: 'colluder', 1: 'colluder' })))
  })

  it('counts stake, not heads: one twin with more than a third of it forks, two with less do not', () => {
    const seeds = Array.from({ length: 12 }, (_, i) => i + 1)

    assert.ok(seeds.some(seed => forks(seed, { stakes: [4n, 1n, 1n, 1n, 1n], villains: { 0: 'twin' } })))
    assert.ok(!seeds.slice(0, 6).some(seed => forks(seed, { stakes: [1n, 1n, 2n, 2n, 2n], villains: { 0: 'twin', 1: 'twin' } })))
  })

  it('breaks no promise when power fails, writes are torn, disks are full or have to be replaced', () => {
    for (let seed = 1; seed <= 12; seed++) {
      const report = simulate({ ...failing, seed, villains: seed % 2 === 0 ? { 3: 'silent' } : {}, frail: seed % 2 === 0 ? [] : [3] })

      assert.deepEqual([...report.violations, ...livenessViolations(report)], [], `seed ${seed}`)
    }
  })

  it('does not fork whoever gets a new disk, all one after the other included', () => {
    for (let seed = 1; seed <= 12; seed++) {
      assert.deepEqual(simulate({ ...failing, seed, villains: {}, frail: [0, 1, 2, 3] }).violations, [], `seed ${seed}`)
    }
  })

  it('is contradicted by validators on new disks without a signing history, or on disks that lie', () => {
    const contradicts = (change: Partial<Scenario>): boolean => Array.from({ length: 30 }, (_, i) => i + 1)
      .some(seed => simulate({ ...failing, seed, villains: {}, ...change }).violations.some(violation => violation.includes('contradicted itself')))

    assert.ok(contradicts({ frail: [3], histories: false }))
    assert.ok(contradicts({ lyingDisks: true }))
  })

  it('lets nobody hold up more than his own turns', () => {
    for (const [villain, heightMin] of [['staller', 18], ['spammer', 60], ['lazy', 60], ['colluder', 40]] as const) {
      const { heights, violations } = simulate({ ...stormy, seed: 1, chaosMs: 0, calmMs: 120_000, untilHealed: false, villains: { 1: villain } })

      assert.deepEqual(violations, [], villain)
      assert.ok(Math.min(...heights) >= heightMin, `${villain}: ${heights.join()}`)
    }
  })

  it('stalls without nullify votes', () => {
    const calm: Scenario = { ...stormy, seed: 1, chaosMs: 0, untilHealed: false, villains: { 0: 'silent' } }
    const censored = simulate({ ...calm, censor: ({ kind }) => kind === 'nullify' })

    assert.deepEqual(censored.heights, [3, 3, 3])
    assert.ok(Math.min(...simulate(calm).heights) > 60)
  })

  it('skips a dead leader quickly after its first missed turn', () => {
    const { heights, violations } = simulate({ ...stormy, seed: 3, chaosMs: 0, calmMs: 61_000, untilHealed: false, villains: { 1: 'silent' } })

    // a turn of four views: three blocks of about 0.3 s and 1.1 s for the dead one
    assert.ok(Math.min(...heights) > 80, `${heights.join()}`)
    assert.deepEqual(violations, [])
  })

  it('goes on at once when a silent leader comes back and its block splits the others', () => {
    for (const [seed, n, dead] of [[32, 4, false], [35, 4, false], [76, 4, false], [96, 4, false], [2, 7, true], [17, 7, true]] as const) {
      const { longestPauseMs, violations } = simulate(returning(seed, n, dead))

      assert.ok(longestPauseMs < 3_000, `seed ${seed}: nothing became final for ${longestPauseMs} ms`)
      assert.deepEqual(violations, [], `seed ${seed}`)
    }
  })

  it('goes on soon when the validator comes back without which there was no quorum', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const { longestPauseMs, violations } = simulate(returning(seed, 4, true))

      // said again every four seconds at the latest, then a view
      assert.ok(longestPauseMs < 5_000, `seed ${seed}: nothing became final for ${longestPauseMs} ms`)
      assert.deepEqual(violations, [], `seed ${seed}`)
    }
  })

  it('waits for no leader whose block reaches too few', () => {
    for (const n of [4, 7]) {
      const { longestPauseMs, violations } = simulate(mumbling(1, n))

      assert.ok(longestPauseMs < 3_000, `${n} validators: nothing became final for ${longestPauseMs} ms`)
      assert.deepEqual(violations, [])
    }
  })

  it('sends a bounded number of messages for each block and asks for nothing when nothing is missing', () => {
    for (const n of [1, 4, 10]) {
      const { calmMessagesPerBlock, heights } = simulate({ ...stormy, stakes: ones(n), seed: 5, chaosMs: 0, calmMs: 20_000, untilHealed: false, villains: {} })

      // two rounds of votes and two certificates from each of up to eight relayers, to all others, and the block
      assert.ok(calmMessagesPerBlock <= (4 * n + 1) * (n - 1), `${n} validators: ${calmMessagesPerBlock}`)
      assert.ok(Math.min(...heights) > 15)
    }
  })

  it('brings a follower that starts late to the head', () => {
    const report = simulate({ ...stormy, seed: 4, chaosMs: 0, calmMs: 60_000, untilHealed: false, followers: 1, followersStartMs: 50_000, villains: {} })

    assert.deepEqual(report.violations, [])
    assert.ok(Math.max(...report.heights) - report.heights[4] <= 1, `${report.heights.join()}`)
    assert.ok(report.heights[4] > 50)
  })

  it('does the same with real BLS over the real encoding', () => {
    const report = simulate({ ...stormy, seed: 9, chaosMs: 4_000, calmMs: 12_000, crypto: realCrypto(4), villains: { 3: 'equivocator' } })

    assert.deepEqual([...report.violations, ...livenessViolations(report, 1)], [])
    assert.deepEqual(report.convicted, [3])
  })
})
