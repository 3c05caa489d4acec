import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bitmapOf, consensus, signVote } from '../../src/consensus/index.ts'
import { headerHash, toHex } from '../../src/wire/index.ts'
import { fakeBls, fakeSigner, fakeValidators } from './fake-bls.ts'
import type { Consensus, ConsensusInput, VoteKind } from '../../src/consensus/index.ts'
import type { Certificate, Header } from '../../src/interface/index.ts'

interface ModelBlock { view: number, tag: number, parentView: number, parentTag: number }
interface Says { kind: VoteKind, view: number, block: ModelBlock }
interface ModelVote { by: number, says: Says }
interface State { votes: ModelVote[], blocks: ModelBlock[], last: { what: string, who: number, says: Says } }

const CHAIN = 'sim'
/** leads no view of the model, so that all that it does answers others */
const SELF = 0
const validators = fakeValidators([1n, 1n, 1n, 1n])
const quint = fileURLToPath(new URL('node_modules/.bin/quint', `file://${process.cwd()}/`))
const model = fileURLToPath(new URL('protocols/consensus/simplex.qnt', `file://${process.cwd()}/`))

/** Values of the Informal Trace Format as plain ones; names without their modules. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    return value.map(plain)
  }

  if (typeof value !== 'object' || value === null) {
    return value
  }

  const entries = Object.entries(value)
  const [[key, inner]] = entries.length === 0 ? [['', null]] : entries

  if (key === '#bigint') {
    return Number(inner)
  }

  return key === '#set' || key === '#map' ? plain(inner) : Object.fromEntries(entries.map(([name, item]) => [name.split('::').at(-1), plain(item)]))
}

const traces = async (): Promise<State[][]> => {
  const folder = await mkdtemp(join(tmpdir(), 'datanet-model-'))

  try {
    await promisify(execFile)(process.execPath, [quint, 'run', '--backend', 'typescript', '--main', 'good', '--max-steps', '35', '--max-samples', '16', '--n-traces', '16',
      '--seed', '11', '--verbosity', '0', '--out-itf', join(folder, '{seq}.itf.json'), model])

    return await Promise.all((await readdir(folder)).map(async name => {
      const { states }: { states: unknown[] } = JSON.parse(await readFile(join(folder, name), 'utf8'))

      return states.map(state => plain(state) as State)
    }))
  } finally {
    await rm(folder, { recursive: true })
  }
}

const genesis: Header = {
  type: 'header',
  version: 1,
  chain: CHAIN,
  era: 0,
  height: 0,
  view: 0,
  parent: new Uint8Array(32),
  proposer: new Uint8Array(32),
  bodyRoot: new Uint8Array(32),
  outcomesRoot: new Uint8Array(32),
  stateRoot: new Uint8Array(32),
  validatorsHash: new Uint8Array(32)
}

/** The header that stands for a block of the model. */
const headerOf = (blocks: ModelBlock[], { view, tag, parentView, parentTag }: ModelBlock): Header => {
  const parent = blocks.find(block => block.view === parentView && block.tag === parentTag)

  if (parent === undefined) {
    return genesis
  }

  const before = headerOf(blocks, parent)

  return { ...genesis, height: before.height + 1, view, parent: headerHash(before), proposer: validators[view % 4].account, bodyRoot: new Uint8Array(32).fill(tag) }
}

const hashOf = (blocks: ModelBlock[], { kind, block }: Says): Uint8Array => kind === 'nullify' ? new Uint8Array(0) : headerHash(headerOf(blocks, block))

const certificateOf = ({ votes, blocks }: State, says: Says): Certificate => {
  const statement = { kind: says.kind, era: 0, view: says.view, blockHash: hashOf(blocks, says) }
  const signers = [0, 1, 2, 3].filter(by => votes.some(vote => vote.by === by && JSON.stringify(vote.says) === JSON.stringify(says)))

  return { ...statement, signers: bitmapOf(signers.values(), 4), signature: fakeBls.aggregate(signers.map(by => signVote(CHAIN, by, statement, fakeSigner(by)).signature)) }
}

/** Gives the state machine what the model's validator met, until it has said what it wants to say. */
const perform = (core: Consensus, state: State, clock: { ms: number }): string[] => {
  const { last: { what, says } } = state
  const said: string[] = []
  const step = (input: ConsensusInput): void => {
    for (const effect of core.step(input, clock.ms)) {
      if (effect.type === 'persist' && effect.record.type === 'vote') {
        const { kind, view, blockHash } = effect.record.vote
        said.push(`${kind} ${view} ${toHex(blockHash)}`)
      } else if (effect.type === 'verify') {
        step({ type: 'verified', hash: effect.hash, valid: true })
      }
    }
  }

  if (what === 'see') {
    step({ type: 'certificate', certificate: certificateOf(state, says) })
  } else if (what === 'giveUp') {
    for (let tries = 0; said.length === 0 && tries < 50; tries++) {
      clock.ms = core.deadlineMs()
      step({ type: 'tick' })
    }
  } else {
    const header = headerOf(state.blocks, says.block)
    const hash = headerHash(header)
    const vote = signVote(CHAIN, says.view % 4, { kind: 'notarize', era: 0, view: says.view, blockHash: hash }, fakeSigner(says.view % 4))

    step(what === 'vote' ? { type: 'proposal', hash, proposal: { header, vote, justification: [] } } : { type: 'block', hash, header })
  }

  return said
}

describe('the model of consensus', function () {
  this.timeout(60_000)

  before(function () {
    if (!existsSync(quint)) {
      this.skip()
    }
  })

  it('does what the state machine does: every vote of its traces, and no other', async () => {
    const kinds = new Map<string, number>()

    for (const states of await traces()) {
      const core = consensus({ chain: CHAIN, validators, self: SELF, bls: fakeBls, signer: fakeSigner(SELF) })
      const clock = { ms: 0 }
      const known = new Set<string>()

      core.step({ type: 'start', final: { hash: headerHash(genesis), height: 0, view: 0, certificate: null }, records: [], blocks: [] }, 0)

      for (const state of states.filter(({ last }) => last.who === SELF)) {
        const { final } = core.status()
        const expected = state.votes.filter(({ by, says }) => by === SELF && !known.has(JSON.stringify(says)))

        expected.forEach(({ says }) => { known.add(JSON.stringify(says)) })
        assert.deepEqual(
          perform(core, state, clock),
          // what is final already needs no more votes
          expected.filter(({ says }) => says.view > final.view).map(({ says }) => `${says.kind} ${says.view} ${toHex(hashOf(state.blocks, says))}`),
          `${state.last.what} in view ${state.last.says.view}`
        )
        expected.forEach(({ says }) => { kinds.set(says.kind, (kinds.get(says.kind) ?? 0) + 1) })
      }
    }

    assert.deepEqual([...kinds.keys()].sort(), ['finalize', 'notarize', 'nullify'])
  })
})
