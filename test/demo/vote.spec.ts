import { expect } from 'aegir/chai'
import { vote } from '../../src/demo/index.ts'
import type { StepContext } from '../../src/demo/index.ts'

type Status = 'active' | 'succeeded' | 'queued' | 'defeated'

interface Request { path: string, body: { proposal?: number } }

/** A studio whose proposals end as told: by number, what comes of a vote on them. */
function studioOf (fates: Array<'in time' | 'over before' | 'over meanwhile'>, journal: { proposal?: number } = {}): { context: StepContext, posts: Request[], journal: { proposal?: number } } {
  const posts: Request[] = []
  const proposals: Array<{ proposal: number, title: string, status: Status, for: string }> = []

  const answers: Record<string, (body: { title?: string, proposal?: number }) => unknown> = {
    '/api/v1/gov/propose': ({ title = '' }) => {
      const proposal = proposals.length

      proposals.push({ proposal, title, status: fates[proposal] === 'over before' ? 'defeated' : 'active', for: '0' })

      return { proposal }
    },
    '/api/v1/gov/vote': ({ proposal = 0 }) => {
      proposals[proposal].status = fates[proposal] === 'in time' ? 'succeeded' : 'defeated'

      if (proposals[proposal].status === 'defeated') {
        throw new RangeError('the vote on this proposal is over')
      }
    },
    '/api/v1/gov/queue': ({ proposal = 0 }) => { proposals[proposal].status = 'queued' }
  }

  const api = {
    get: async (path: string) => path === '/api/v1/proposals' ? proposals.map(view => ({ ...view })) : { gopen: '1', votes: '1' },
    post: async (path: string, body: { proposal?: number }) => {
      posts.push({ path, body })

      return answers[path]?.(body)
    }
  }

  const context = {
    swarm: { get: () => ({ api }) },
    journal: { state: journal, save: async (change: object) => { Object.assign(journal, change) } },
    signal: new AbortController().signal,
    tell: () => {}
  }

  return { context: context as never, posts, journal }
}

const count = (posts: Request[], path: string): number => posts.filter(post => post.path === path).length

describe('the demo\'s vote', () => {
  it('is proposed, voted on and queued once', async () => {
    const { context, posts } = studioOf(['in time'])

    await vote(context)
    await vote(context)

    expect(count(posts, '/api/v1/gov/propose')).to.equal(1)
    expect(count(posts, '/api/v1/gov/vote')).to.equal(1)
    expect(count(posts, '/api/v1/gov/queue')).to.equal(1)
  })

  it('is proposed again when it ended before anybody voted, or while the vote was on its way', async () => {
    const { context, posts, journal } = studioOf(['over before', 'over meanwhile', 'in time'])

    await vote(context)

    expect(journal.proposal).to.equal(2)
    expect(posts.filter(({ path }) => path === '/api/v1/gov/queue').map(({ body }) => body.proposal)).to.deep.equal([2])
  })

  it('gives up with the reason when no vote ever comes in time', async () => {
    await expect(vote(studioOf(Array.from({ length: 9 }, () => 'over before' as const)).context)).to.eventually.be.rejectedWith('15 blocks')
  })
})
