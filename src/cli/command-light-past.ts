import { Command } from 'commander'
import { CID } from 'multiformats/cid'
import { headerHash, toHex } from '../wire/index.ts'
import { cid, integer } from './arguments.ts'
import { examples } from './context.ts'
import { formatOpen, short } from './output.ts'
import type { Context } from './context.ts'
import type { FinalHeader } from '../light-client/index.ts'
import type { LightNode } from '../node/index.ts'

/** Runs something with a light client, which goes on where the last one ended. */
type WithLight = (self: Command, use: (light: LightNode, context: Context) => Promise<void>) => Promise<void>

const HEIGHT_MAX = Number.MAX_SAFE_INTEGER

/** `datanet light header`, `epoch` and `outcome`: what was long ago, by the history of the newest header. */
export function pastCommands (withLight: WithLight): Command[] {
  return [
    examples(new Command('header')
      .description('the header at a height, by the history of the newest one')
      .argument('<height>', 'from 0, the genesis', integer(0, HEIGHT_MAX))
      .action(async (height: number, _options, self: Command) => withLight(self, async ({ client }, { out, signal }) => {
        print(out, await client.header(height, { signal }))
      })), ['datanet light header 1200']),

    examples(new Command('epoch')
      .description('the last header of an epoch that is over, by the history of the newest one')
      .argument('<epoch>', 'from 0', integer(0, HEIGHT_MAX))
      .action(async (epoch: number, _options, self: Command) => withLight(self, async ({ client }, { out, signal }) => {
        print(out, await client.epochEnd(epoch, { signal }), { epoch })
      })), ['datanet light epoch 11']),

    examples(new Command('outcome')
      .description('what became of a transaction, however long ago')
      .argument('<transaction>', 'its CID', cid)
      .action(async (text: string, _options, self: Command) => withLight(self, async ({ client }, { out, signal }) => {
        const { value: { ok, code, fee }, at } = await client.outcome(CID.parse(text), { signal })

        out.line(`${text}: ${ok ? 'done' : `refused (${code ?? ''})`}, fee ${formatOpen(fee)}`)
        print(out, at, { transaction: text, ok, code, fee: fee.toString() })
      })), ['datanet light outcome bafy…'])
  ]
}

function print (out: Context['out'], { header, by }: FinalHeader, more: object = {}): void {
  const view = { height: header.height, hash: toHex(headerHash(header)), stateRoot: toHex(header.stateRoot), provenBy: by.header.height }

  out.line(`height ${view.height}, header ${short(view.hash)}, state ${short(view.stateRoot)}`)
  out.line(header.height === by.header.height ? 'proven by a certificate' : `proven by the history of the header at height ${by.header.height}`)
  out.result({ ...more, ...view })
}
