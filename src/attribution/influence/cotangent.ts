import { FEE_WEIGHT_BITS, FEE_WEIGHT_ONE } from './constants.ts'
import { AttributionInputError } from './errors.ts'
import { checkLength } from './train.ts'
import { addScaled } from './vectors.ts'
import type { Amount } from '../../interface/index.ts'

/**
 * The cotangent of a task: Σ over its receipts of weight times the gradient of the answer's
 * log-likelihood, in the given order in f64. The weight of a receipt is its share of the fees,
 * rounded down to a multiple of 2^-32 in integers, so that scores neither grow with prices nor
 * leave their range.
 *
 * @param parameters - trained parameters
 * @param fees - one per receipt, in the order of the receipts' CIDs' bytes
 * @param gradientOf - gradient of receipt i's answer; called once each, in order
 * @throws {AttributionInputError} when a fee is negative or a gradient has another length
 */
export async function taskCotangent (parameters: number, fees: Amount[], gradientOf: (receipt: number) => Float64Array | Promise<Float64Array>): Promise<Float64Array> {
  const cotangent = new Float64Array(parameters)
  const weights = feeWeights(fees)

  for (let i = 0; i < fees.length; i++) {
    const gradient = await gradientOf(i)

    checkLength('the gradient of an answer', gradient, parameters)
    addScaled(cotangent, weights[i], gradient)
  }

  return cotangent
}

/** Shares of the fees as exact f64 multiples of 2^-32; zero where nothing was paid. */
export function feeWeights (fees: Amount[]): number[] {
  const total = fees.reduce((sum, fee) => sum + fee, 0n)

  if (fees.some(fee => fee < 0n)) {
    throw new AttributionInputError('fees must not be negative: look for a receipt with a wrong fee')
  }

  return fees.map(fee => total === 0n ? 0 : Number((fee << FEE_WEIGHT_BITS) / total) / FEE_WEIGHT_ONE)
}
