import { setTimeout as delay } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import { accountFromString } from '../identity/index.ts'
import { fromHex, headerHash, toHex } from '../wire/index.ts'
import { colours as pc } from './colours.ts'
import { printWhy } from './command-why.ts'
import { formatOpen, short } from './output.ts'
import { remember, withLight } from './run-light-client.ts'
import type { Context } from './context.ts'
import type { CertifiedHeader } from '../interface/index.ts'
import type { FinalHeader } from '../light-client/index.ts'
import type { LightNode } from '../node/index.ts'
import type { Command } from 'commander'

/** How often a follower asks for a newer header; blocks come about once a second. */
const FOLLOW_MS = 1_000

/** Verifies and prints each new header. */
export async function follow (self: Command, blocks = Infinity): Promise<void> {
  await withLight(self, async (light, context) => followWith(light, context, blocks))
}

async function followWith (light: LightNode, { out, signal, options: { dataDir } }: Context, blocks: number): Promise<void> {
  const { client } = light
  let seen: CertifiedHeader | undefined
  let count = 0

  while (!signal.aborted && count < blocks) {
    const newest = await client.sync({ signal }).catch((err: unknown) => {
      if (!signal.aborted) {
        throw err
      }
    })

    // Ctrl-C is how it ends
    if (newest === undefined) {
      return
    }

    if (seen == null || newest.header.height > seen.header.height) {
      const { signers, validators } = client.signersOf(newest)
      const view = { height: newest.header.height, hash: toHex(headerHash(newest.header)), stateRoot: toHex(newest.header.stateRoot), signers, validators }

      seen = newest
      count++
      await remember(light, dataDir)
      out.line(`${pc.green('✓')} height ${view.height}, header ${short(view.hash)}, state ${short(view.stateRoot)}, signed by ${signers} of ${validators}`)
      out.result(view)
    } else {
      await delay(FOLLOW_MS, undefined, { signal }).catch(() => {})
    }
  }
}

/** The balance of an account. */
export async function showAccount (self: Command, text: string): Promise<void> {
  await withLight(self, async ({ client }, { out, signal }) => {
    const at = await client.sync({ signal })
    const { value } = await client.account(accountFromString(text), { signal })

    out.line(`${text}: ${formatOpen(value?.balance ?? 0n)}, ${formatOpen(value?.gopen ?? 0n, 'gOPEN')}`)
    out.line(`proven against header ${short(toHex(headerHash(at.header)))} at height ${at.header.height}`)
    out.result({ account: text, balance: (value?.balance ?? 0n).toString(), height: at.header.height })
  })
}

/** Why a contribution was paid by a task. */
export async function showWhy (self: Command, contribution: string, task: string): Promise<void> {
  await withLight(self, async ({ client }, { out, signal }) => {
    const view = await client.why(fromHex(task), CID.parse(contribution), { signal })

    printWhy(out, view)
    out.result(view)
  })
}

/** The header at a height. */
export async function showHeader (self: Command, height: number): Promise<void> {
  await withLight(self, async ({ client }, { out, signal }) => {
    print(out, await client.header(height, { signal }))
  })
}

/** The last header of an epoch. */
export async function showEpoch (self: Command, epoch: number): Promise<void> {
  await withLight(self, async ({ client }, { out, signal }) => {
    print(out, await client.epochEnd(epoch, { signal }), { epoch })
  })
}

/** What became of a transaction. */
export async function showOutcome (self: Command, transaction: string): Promise<void> {
  await withLight(self, async ({ client }, { out, signal }) => {
    const { value: { ok, code, fee }, at } = await client.outcome(CID.parse(transaction), { signal })

    out.line(`${transaction}: ${ok ? 'done' : `refused (${code ?? ''})`}, fee ${formatOpen(fee)}`)
    print(out, at, { transaction, ok, code, fee: fee.toString() })
  })
}

function print (out: Context['out'], { header, by }: FinalHeader, more: object = {}): void {
  const view = { height: header.height, hash: toHex(headerHash(header)), stateRoot: toHex(header.stateRoot), provenBy: by.header.height }

  out.line(`height ${view.height}, header ${short(view.hash)}, state ${short(view.stateRoot)}`)
  out.line(header.height === by.header.height ? 'proven by a certificate' : `proven by the history of the header at height ${by.header.height}`)
  out.result({ ...more, ...view })
}
