import type { Certificate } from '../interface/index.ts'

/** How many validators signed a certificate: the ones in its bitmap. */
export function signersOf ({ signers }: Pick<Certificate, 'signers'>): number {
  let count = 0

  for (let byte of signers) {
    while (byte > 0) {
      count += byte & 1
      byte >>= 1
    }
  }

  return count
}
