import { exp, log, prng } from '../numeric/index.ts'
import { VOCABULARY_MAX } from './constants.ts'
import { SettingsError } from './errors.ts'
import { likeliest } from './likeliest.ts'
import { PENALTY_MILLI_MAX, REPETITION_MILLI_MAX, TOKENS_MIN_MAX } from './sampler-limits.ts'
import type { SamplerSettings, TokenConstraint } from './interface.ts'

/** Chooses the next token from logits; draws once for each token unless it is greedy. Remembers what it chose. */
export type Sampler = (logits: Float32Array) => number

/** What the settings refer to. */
export interface SamplerContext {
  /** tokens before the answer: the repetition penalty counts them */
  prompt?: ArrayLike<number>
  /** ids that `tokensMin` forbids at first */
  stop?: ArrayLike<number>
  /**
   * forbids all other tokens, whatever the settings; where it is, `tokensMin` forbids nothing
   *
   * @default none
   */
  constraint?: TokenConstraint
}

/** A token and its natural log-probability under the model itself, before any setting of the sampler. */
export interface TokenLogProbability {
  token: number
  logProbability: number
}

/** A token's own, and the likeliest in its place, likeliest first. */
export interface TokenProbabilities extends TokenLogProbability {
  top: TokenLogProbability[]
}

/**
 * Deterministic sampling: repetition, frequency and presence penalties in f64 rounded to f32, stop
 * tokens forbidden below `tokensMin`, or all that a constraint does not allow; then greedy, or temperature, the topK likeliest (all if 0),
 * of these the likeliest whose weights reach topP, and one draw of the seed's generator in f64.
 * Ties go to the lower id.
 *
 * @throws {SettingsError} if a setting is out of range
 */
export function sampler (settings: SamplerSettings, context: SamplerContext = {}): Sampler {
  checkSettings(settings)
  const adjust = adjuster(settings, context)
  const choose = settings.temperatureMilli === 0 ? argmax : drawer(settings)
  return logits => {
    const id = choose(adjust.apply(logits))
    adjust.chose(id)
    return id
  }
}

/** All that settings say as one text, in which equal settings are equal. */
export function samplerText ({ temperatureMilli, topK, seed, topPMilli, repetitionMilli, frequencyMilli, presenceMilli, tokensMin }: SamplerSettings): string {
  const rest = [['p', topPMilli], ['r', repetitionMilli], ['f', frequencyMilli], ['o', presenceMilli], ['m', tokensMin]] as const
  return [temperatureMilli, topK, seed, ...rest.flatMap(([name, value]) => value == null ? [] : [`${name}${value}`])].join(' ')
}

/** The log-probability of one token and of the `count` likeliest, likeliest first. */
export function logProbabilities (logits: Float32Array, token: number, count: number): TokenProbabilities {
  let greatest = -Infinity
  for (let id = 0; id < logits.length; id++) {
    greatest = Math.max(greatest, logits[id])
  }
  let sum = 0
  for (let id = 0; id < logits.length; id++) {
    sum += exp(logits[id] - greatest)
  }
  const total = greatest + log(sum)
  const of = (id: number): TokenLogProbability => ({ token: id, logProbability: logits[id] - total })
  return { ...of(token), top: count === 0 ? [] : Array.from(likeliest(logits, count), of) }
}

interface Adjuster {
  apply (logits: Float32Array): Float32Array
  chose (id: number): void
}

/** Penalties and forbidden tokens; leaves the logits as they are where there are none. */
function adjuster (settings: SamplerSettings, { prompt = [], stop = [], constraint }: SamplerContext): Adjuster {
  const { repetitionMilli = 1000, frequencyMilli = 0, presenceMilli = 0 } = settings
  // a text that has to end could not
  const tokensMin = constraint == null ? settings.tokensMin ?? 0 : 0
  const counts = new Map<number, number>()
  const seen = new Set(repetitionMilli === 1000 ? [] : Array.from(prompt))
  let length = 0

  const apply = (logits: Float32Array): Float32Array => {
    if (seen.size === 0 && counts.size === 0 && length >= tokensMin && constraint == null) {
      return logits
    }
    const adjusted = logits.slice()
    for (const id of seen) {
      adjusted[id] = logits[id] > 0 ? logits[id] * 1000 / repetitionMilli : logits[id] * repetitionMilli / 1000
    }
    for (const [id, count] of counts) {
      adjusted[id] -= (frequencyMilli * count + presenceMilli) / 1000
    }
    if (length < tokensMin) {
      forbid(adjusted, stop)
    }
    if (constraint != null) {
      restrict(adjusted, constraint.allowed())
    }
    return adjusted
  }

  const chose = (id: number): void => {
    length++
    constraint?.accept(id)
    if (repetitionMilli !== 1000) {
      seen.add(id)
    }
    if (frequencyMilli !== 0 || presenceMilli !== 0) {
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
  }

  return { apply, chose }
}

function forbid (logits: Float32Array, ids: ArrayLike<number>): void {
  for (let i = 0; i < ids.length; i++) {
    logits[ids[i]] = -Infinity
  }
}

function restrict (logits: Float32Array, allowed: Uint32Array): void {
  for (let id = 0; id < logits.length; id++) {
    if ((allowed[id >>> 5] >>> (id & 31) & 1) === 0) {
      logits[id] = -Infinity
    }
  }
}

function drawer ({ temperatureMilli, topK, topPMilli = 1000, seed }: SamplerSettings): (logits: Float32Array) => number {
  const random = prng(seed)
  return logits => {
    const ids = likeliest(logits, topK === 0 ? logits.length : topK)
    const top = logits[ids[0]]
    const weights = new Float64Array(ids.length)
    let total = 0
    for (let i = 0; i < ids.length; i++) {
      weights[i] = exp((logits[ids[i]] - top) * 1000 / temperatureMilli)
      total += weights[i]
    }
    let count = ids.length
    if (topPMilli < 1000) {
      const enough = total * topPMilli / 1000
      total = weights[0]
      for (count = 1; count < ids.length && total < enough; count++) {
        total += weights[count]
      }
    }
    let left = random.nextFloat() * total
    for (let i = 0; i < count; i++) {
      left -= weights[i]
      if (left < 0) {
        return ids[i]
      }
    }
    return ids[count - 1]
  }
}

function argmax (logits: Float32Array): number {
  let best = 0
  // read once: of a large vocabulary, two reads for each token are a fiftieth of the time to decode one
  let top = logits[0]
  for (let id = 1; id < logits.length; id++) {
    const value = logits[id]
    if (value > top) {
      top = value
      best = id
    }
  }
  return best
}

function checkSettings (settings: SamplerSettings): void {
  const { temperatureMilli, topK, seed, topPMilli = 1000, repetitionMilli = 1000, frequencyMilli = 0, presenceMilli = 0, tokensMin = 0 } = settings
  if (!isInteger(temperatureMilli, 0, 100_000) || !isInteger(topK, 0, VOCABULARY_MAX) || !isInteger(seed, 0, 0xffff_ffff)) {
    throw new SettingsError(`expected temperatureMilli of 0 … 100000, topK of 0 … ${VOCABULARY_MAX} and a seed of 32 bits but got ${temperatureMilli}, ${topK} and ${seed}`)
  }
  if (!isInteger(topPMilli, 1, 1000) || !isInteger(tokensMin, 0, TOKENS_MIN_MAX)) {
    throw new SettingsError(`expected topPMilli of 1 … 1000 and tokensMin of 0 … ${TOKENS_MIN_MAX} but got ${topPMilli} and ${tokensMin}`)
  }
  if (!isInteger(repetitionMilli, 1, REPETITION_MILLI_MAX) || !isInteger(frequencyMilli, -PENALTY_MILLI_MAX, PENALTY_MILLI_MAX) || !isInteger(presenceMilli, -PENALTY_MILLI_MAX, PENALTY_MILLI_MAX)) {
    throw new SettingsError(`expected repetitionMilli of 1 … ${REPETITION_MILLI_MAX}, frequencyMilli and presenceMilli within ±${PENALTY_MILLI_MAX} but got ${repetitionMilli}, ${frequencyMilli} and ${presenceMilli}`)
  }
}

function isInteger (value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max
}
