import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DatanetError } from '../src/utils/index.ts'

export interface Source {
  kind: 'factbook' | 'moby-dick'
  package: string
  version: string
  licence: string
  fields: string[]
}

const modules = join(dirname(fileURLToPath(import.meta.url)), '..', 'node_modules')

/** Shorter entries are lists and figures rather than prose. */
const PROSE_CHARACTERS_MIN = 60

/** The documents of all sources, in an order that file names fix. */
export function documentsOf (sources: Source[]): string[] {
  return sources.flatMap(source => {
    const { version } = JSON.parse(readFileSync(join(modules, source.package, 'package.json'), 'utf8'))
    if (version !== source.version) {
      throw new DatanetError('ERR_PRETRAIN_SOURCE', `expected ${source.package} ${source.version} but ${version} is installed: run npm ci`)
    }
    return source.kind === 'factbook' ? factbook(source) : mobyDick(source)
  })
}

/** What the recipe pins, so that a changed package cannot change the base unnoticed. */
export function digestOf (documents: string[]): string {
  const hash = createHash('sha256')
  for (const document of documents) {
    hash.update(document).update('\0')
  }
  return hash.digest('hex')
}

function factbook (source: Source): string[] {
  const root = join(modules, source.package)
  const documents: string[] = []
  for (const region of readdirSync(root).sort()) {
    if (!statSync(join(root, region)).isDirectory()) {
      continue
    }
    for (const file of readdirSync(join(root, region)).filter(name => name.endsWith('.json')).sort()) {
      const country: unknown = JSON.parse(readFileSync(join(root, region, file), 'utf8'))
      const paragraphs = source.fields.map(field => clean(textAt(country, field.split(' > '))))
      const document = paragraphs.filter(text => text.length >= PROSE_CHARACTERS_MIN).join('\n')
      if (document.length > 0) {
        documents.push(document)
      }
    }
  }
  return documents
}

function textAt (node: unknown, path: string[]): string {
  for (const key of [...path, 'text']) {
    if (typeof node !== 'object' || node === null) {
      return ''
    }
    node = Object.fromEntries(Object.entries(node))[key]
  }
  return typeof node === 'string' ? node : ''
}

function mobyDick (source: Source): string[] {
  const data = join(modules, source.package, 'data')
  const number = (name: string): number => Number(/\d+/.exec(name)?.[0] ?? 0)
  return readdirSync(data)
    .filter(name => /^chapter_\d+\.json$/.test(name))
    .sort((a, b) => number(a) - number(b))
    .map(name => {
      const { title, text } = JSON.parse(readFileSync(join(data, name), 'utf8'))
      return [title, ...String(text).split(/\n\s*\n/)].map(clean).filter(paragraph => paragraph !== '').join('\n')
    })
}

/** One paragraph: no markup, typewriter punctuation (a small vocabulary has no room for two kinds), single spaces. */
function clean (text: string): string {
  return text
    .replace(/ \+\+ /g, ' ')
    .replace(/[‘’]/g, '\'').replace(/[“”]/g, '"').replace(/[–—]/g, ' -- ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&nbsp;/g, ' ').replace(/&quot;/g, '"').replace(/&#39;|&apos;|&rsquo;|&lsquo;/g, '\'')
    .replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&')
    .replace(/[ \t\r\n\u00a0]+/g, ' ')
    .trim()
}
