import Table from 'cli-table3'
import { colours as pc } from './colours.ts'

/** What training did to the loss, in nats per token. */
export function lossText ({ losses }: { losses: number[] }): string {
  return `${losses[0]?.toFixed(3) ?? '–'} → ${losses.at(-1)?.toFixed(3) ?? '–'}`
}

/** How a command speaks: people get lines and tables, programs one JSON object on the last line. */
export interface Output {
  json: boolean
  /** a line for people, on standard error with --json so that standard output stays machine-readable */
  line (text?: string): void
  table (head: string[], rows: string[][]): void
  /** what --json prints; called once, last */
  result (value: unknown): void
}

export function output (options: { json?: boolean }): Output {
  const json = options.json === true

  return {
    json,
    line (text = '') {
      (json ? process.stderr : process.stdout).write(`${text}\n`)
    },
    table (head, rows) {
      if (json) {
        return
      }

      const plain = !pc.isColorSupported
      const table = new Table({
        head: plain ? head : head.map(text => pc.bold(text)),
        style: { head: [], border: plain ? [] : ['gray'], compact: true },
        chars: compactBorders
      })

      table.push(...rows)
      process.stdout.write(`${table.toString()}\n`)
    },
    result (value) {
      if (json) {
        process.stdout.write(`${JSON.stringify(value)}\n`)
      }
    }
  }
}

const compactBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '─',
  'mid-mid': '─',
  right: '',
  'right-mid': '',
  middle: '  '
}

/**
 * Text of strangers (an answer, a row) as a terminal may have it: an adapter or a contribution that
 * says escape sequences would move the cursor, hide lines or write to the clipboard of who reads it.
 */
export function printable (text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, character => character === '\n' || character === '\t' ? character : '\uFFFD')
}

const UNIT = 10n ** 18n

/**
 * Base units as OPEN for people: four decimals, more only where the amount would show as zero.
 *
 * @example
 * ```ts
 * formatOpen('1500000000000000000') // '1.5 OPEN'
 * ```
 */
export function formatOpen (amount: string | bigint, unit = 'OPEN'): string {
  const value = BigInt(amount)
  const sign = value < 0n ? '-' : ''
  const absolute = value < 0n ? -value : value
  const fraction = (absolute % UNIT).toString().padStart(18, '0')
  const significant = fraction.search(/[1-9]/)
  const digits = significant < 0 ? '' : fraction.slice(0, Math.max(4, significant + 3)).replace(/0+$/, '')

  return `${sign}${(absolute / UNIT).toString()}${digits === '' ? '' : `.${digits}`} ${unit}`
}

/**
 * `1.5` (OPEN) to base units.
 *
 * @throws {RangeError} if it is not a decimal with at most 18 places
 */
export function parseOpen (text: string): bigint {
  const match = /^(\d{1,12})(?:\.(\d{1,18}))?$/.exec(text.trim())

  if (match == null) {
    throw new RangeError(`expected an amount of OPEN such as 12 or 0.5, but got "${text}"`)
  }

  return BigInt(match[1]) * UNIT + BigInt((match[2] ?? '').padEnd(18, '0'))
}

/** The first and last characters of a long identifier. */
export function short (id: string): string {
  return id.length <= 18 ? id : `${id.slice(0, 8)}…${id.slice(-6)}`
}
