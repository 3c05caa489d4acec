import { colours as pc } from './colours.ts'
import { printable } from './output.ts'
import type { Output } from './output.ts'
import type { AnswerView } from '../interface/index.ts'

/** Those that tell contributions apart on a dark and on a light terminal; the others stay plain. */
const COLOURS = [pc.cyan, pc.magenta, pc.yellow, pc.green, pc.blue, pc.red]

type Shaped = Pick<AnswerView, 'answer' | 'tokens' | 'shares' | 'parents'>

/** An answer, on a terminal each word in the colour of the contribution that shaped it most. */
export function answerText ({ answer, tokens, shares }: Shaped): string {
  // half characters and texts that ended the answer are in its tokens and not in it
  if (!tokens.map(({ text }) => text).join('').startsWith(answer)) {
    return printable(answer)
  }

  const colourOf = coloursOf(shares)
  let at = 0

  return tokens.map(({ text, share }) => {
    const shown = printable(text.slice(0, Math.max(0, answer.length - at)))

    at += text.length

    return share == null ? shown : colourOf(share)(shown)
  }).join('')
}

/** Who shaped it: of a merge its adapters, then contributions, the largest share first, in the colours of their words. */
export function printShares (out: Output, { shares, parents }: Shaped): void {
  if (parents != null) {
    out.table(['share', 'effect', 'adapter', ''], parents.map(({ share, effect, name, weight, adapter }) => [percent(share), effect.toExponential(2), `${weight} × ${printable(name)}`, adapter]))
    out.line()
  }

  const colourOf = coloursOf(shares)

  out.table(['share', 'influence', 'contribution', ''], ranked(shares).map(({ share, influence, title, contribution, place }) => [percent(share), influence.toExponential(2), colourOf(place)(printable(title)), contribution]))
  out.line()
}

/** By a contribution's place in the answer's list: the largest shares have the colours. */
function coloursOf (shares: AnswerView['shares']): (place: number) => (text: string) => string {
  const order = ranked(shares).map(({ place }) => place)

  return place => COLOURS[order.indexOf(place)] ?? String
}

const ranked = (shares: AnswerView['shares']): Array<AnswerView['shares'][number] & { place: number }> => shares.map((share, place) => ({ ...share, place })).sort((a, b) => b.share - a.share)

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
