import { certifiedHeaderCodec, eraChangeCodec, fromHex, genesisCodec, headerHash, lightClient, stateProofCodec, toHex } from '../../src/index.ts'
import type { HeaderSource } from '../../src/index.ts'

export interface Seen {
  height: number
  hash: string
  signers: number
  balance: string | null
  /** codes of errors: of the forged balance, and of the checkpoint that is not on the chain */
  refusals: string[]
}

/** Answers of a node as bytes over HTTP. Nothing is believed that does not verify. */
function fetched (base: string): HeaderSource {
  const get = async (path: string): Promise<Uint8Array> => {
    const response = await fetch(`${base}/${path}`)

    if (!response.ok) {
      throw new RangeError(`${path}: ${response.status}`)
    }

    return new Uint8Array(await response.arrayBuffer())
  }

  return {
    latest: async () => certifiedHeaderCodec.decode(await get('latest')),
    header: async height => certifiedHeaderCodec.decode(await get(`header/${height}`)),
    eraChange: async era => eraChangeCodec.decode(await get(`era/${era}`)),
    proof: async (key, height) => stateProofCodec.decode(await get(`proof/${height}/${encodeURIComponent(key)}`))
  }
}

/** Runs in the browser: follows a chain, reads a balance, and has two lies told to it. */
export async function look (base: string, account: string): Promise<Seen> {
  const response = await fetch(`${base}/genesis`)
  const genesis = genesisCodec.decode(new Uint8Array(await response.arrayBuffer()))
  const source = fetched(base)
  const client = lightClient({ genesis, source, witnesses: [fetched(base)], trusting: { since: Date.now(), periodMs: 60_000, now: () => Date.now() } })
  const newest = await client.sync()
  const { value } = await client.account(fromHex(account))

  const liar: HeaderSource = {
    ...source,
    async proof (key, height) {
      const proof = await source.proof(key, height)

      return proof.value === null ? proof : { ...proof, value: proof.value.map((byte, i, { length }) => i === length - 1 ? byte ^ 1 : byte) }
    }
  }
  const codeOf = async (promise: Promise<unknown>): Promise<string> => promise.then(() => 'believed', (error: { code?: string }) => error.code ?? String(error))

  return {
    height: newest.header.height,
    hash: toHex(headerHash(newest.header)),
    signers: client.signersOf(newest).signers,
    balance: value?.balance.toString() ?? null,
    refusals: [
      await codeOf(lightClient({ genesis, source: liar }).account(fromHex(account))),
      await codeOf(lightClient({ genesis, source, checkpoint: { height: newest.header.height, hash: new Uint8Array(32) } }).sync())
    ]
  }
}
