import { expect } from 'aegir/chai'
import { adapterViews } from '../../src/node/index.ts'
import { dataDirs, run, TOKEN } from '../node/fixtures.ts'
import type { ApiInit } from '../../src/api/index.ts'
import type { ContributionView, NetworkParams, TrainingView } from '../../src/interface/index.ts'
import type { RunningNode } from '../node/fixtures.ts'

const SPEECH = [
  'The union of these states rests on the consent of the people who live in them.',
  'A harvest that fails in one valley is made good by the labour of the next.',
  'No treaty has been signed this year that gives away what our fathers kept.',
  'The railways now reach the western mines, and letters take four days.',
  'Our schools teach a third more children than they did ten years ago.',
  'It is the duty of a government to spend less than it takes from its citizens.'
]

export interface Shop {
  /** validator, assessor and gateway */
  shop: RunningNode
  /** whose account pays */
  home: RunningNode
  /** CID of the one adapter, named `speeches` */
  adapter: string
  call (path: string, init?: RequestInit & { key?: string | null }): Promise<Response>
  stop (): Promise<void>
}

/** Two nodes on one chain, with a Datanet and an adapter that was really trained on it and admitted. */
export async function openShop (init: Partial<ApiInit> = {}, params: Partial<NetworkParams> = {}): Promise<Shop> {
  const [first, second] = await dataDirs(1, params)
  const shop = await run(first)
  const home = await run(second, shop.node.network.addresses().map(String), init)
  const { chain } = home.node
  const patience = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(60_000) })

  const { datanet } = await home.http.post<{ datanet: string }>('/api/v1/datanets', {
    name: 'speeches', title: 'Speeches', description: '', licence: 'CC0-1.0', fields: [{ name: 'text', type: 'string', required: true }], textField: 'text'
  })
  const query = new URLSearchParams({ datanet, title: 'six lines', format: 'text' })

  await home.http.upload(`/api/v1/contributions?${query.toString()}`, new TextEncoder().encode(SPEECH.join('\n\n')))
  await chain.waitFor(() => chain.height, patience())

  const until = async (isThere: () => Promise<boolean>): Promise<void> => {
    while (!await isThere()) {
      const { height } = chain

      await chain.waitFor((_, newest) => newest > height, patience())
    }
  }

  await until(async () => (await home.http.get<ContributionView[]>('/api/v1/contributions')).some(({ status }) => status === 'admitted'))

  const [{ base }] = await home.http.get<Array<{ base: string }>>('/api/v1/bases')
  const { id } = await home.http.post<TrainingView>('/api/v1/trainings', { name: 'speeches', base, datanets: [datanet], preset: 'quick', steps: 1, rank: 1 })

  await until(async () => {
    const { state, error } = await home.http.get<TrainingView>(`/api/v1/trainings/${id}`)

    expect(error).to.equal(undefined)

    return state === 'done' && (await adapterViews(shop.node)).some(({ status }) => status === 'admitted')
  })

  const [{ adapter }] = await adapterViews(home.node)

  return {
    shop,
    home,
    adapter,
    call: async (path, { key = TOKEN, ...rest } = {}) => fetch(new URL(path, home.server.url), {
      signal: AbortSignal.timeout(30_000), ...rest, headers: { ...(key == null ? {} : { authorization: `Bearer ${key}` }), ...(rest.body == null ? {} : { 'content-type': 'application/json' }), ...rest.headers }
    }),
    stop: async () => {
      await home.stop()
      await shop.stop()
    }
  }
}
