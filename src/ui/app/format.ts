const UNIT = 10n ** 18n

/** Base units as OPEN: as many digits as tell amounts apart, never in exponents. */
export function open (amount: string | bigint, digits = 4): string {
  const value = BigInt(amount)
  const sign = value < 0n ? '−' : ''
  const positive = value < 0n ? -value : value
  const whole = positive / UNIT
  const fraction = (positive % UNIT).toString().padStart(18, '0')
  const grouped = whole.toLocaleString('en')

  if (whole >= 1000n) {
    return `${sign}${grouped}`
  }

  // small amounts keep their first significant digits
  const zeros = whole > 0n ? 0 : fraction.length - fraction.replace(/^0+/, '').length
  const shown = fraction.slice(0, Math.min(18, zeros + digits - (whole >= 10n ? 2 : 0))).replace(/0+$/, '')

  return `${sign}${grouped}${shown === '' ? '' : `.${shown}`}`
}

/** What a person types as OPEN, in base units; undefined if it is no amount. */
export function baseUnits (text: string): bigint | undefined {
  const match = /^\s*(\d{1,18})(?:[.,](\d{1,18}))?\s*$/.exec(text)

  return match == null ? undefined : BigInt(match[1]) * UNIT + BigInt((match[2] ?? '').padEnd(18, '0'))
}

/** The two ends of a CID, an account or a hash. */
export function short (text: string, ends = 5): string {
  return text.length <= ends * 2 + 3 ? text : `${text.slice(0, ends + 1)}…${text.slice(-ends)}`
}

export function percent (share: number, digits = 0): string {
  return share > 0 && share < 0.01 && digits === 0 ? '<1 %' : `${(share * 100).toFixed(digits)} %`
}

export function duration (seconds: number): string {
  const rounded = Math.max(1, Math.ceil(seconds))

  return rounded < 90 ? `${rounded} s` : `${Math.ceil(rounded / 60)} min`
}

export function bytes (count: number): string {
  if (count < 1000) {
    return `${count} B`
  }

  return count < 1_000_000 ? `${(count / 1000).toFixed(count < 10_000 ? 1 : 0)} kB` : `${(count / 1_000_000).toFixed(1)} MB`
}

export function plural (count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

/** Share of a in b, 0 if b is nothing. */
export function ratio (a: string | bigint, b: string | bigint): number {
  const whole = BigInt(b)

  return whole === 0n ? 0 : Number(BigInt(a) * 1_000_000n / whole) / 1_000_000
}
