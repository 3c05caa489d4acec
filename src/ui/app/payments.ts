import type { Payment } from './types.ts'

/** Payments of tasks are told once, as events: a reload of the page should not forget them. */
const key = (chain: string): string => `datanet/payments/${chain}`

const KEPT_MAX = 500

export function readPayments (chain: string): Payment[] {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(key(chain)) ?? '[]')

    return Array.isArray(value) ? value as Payment[] : []
  } catch {
    return []
  }
}

export function writePayments (chain: string, payments: Payment[]): void {
  try {
    sessionStorage.setItem(key(chain), JSON.stringify(payments.slice(-KEPT_MAX)))
  } catch {
    // a full or forbidden store costs a detail after a reload, nothing else
  }
}
