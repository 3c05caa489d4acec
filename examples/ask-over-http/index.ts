/**
 * Asks a running node over its OpenAI-compatible API and prints the answer with its receipt and
 * with what shaped it. Plain fetch, no library.
 *
 *   node examples/ask-over-http/index.ts --data-dir ~/.datanet/demo/studio
 *   node examples/ask-over-http/index.ts --url http://127.0.0.1:4170 --token … --prompt 'The state of the Union is'
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

interface Models {
  data: Array<{ id: string, name: string, owned_by: string, datanet: { kind: 'adapter' | 'base' } }>
}

interface Completion {
  model: string
  choices: Array<{ message: { content: string }, finish_reason: string }>
  usage: { prompt_tokens: number, completion_tokens: number }
  /** what the OpenAI API does not have */
  datanet: {
    receipt: string
    /** base units; 1 OPEN is 10^18 */
    fee: string
    shares: Array<{ contribution: string, contributor: string, title: string, influence: number, share: number }>
  }
}

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string' },
    url: { type: 'string' },
    token: { type: 'string' },
    model: { type: 'string' },
    prompt: { type: 'string', default: 'The state of the Union is' }
  }
})

/** Where the node listens, and the token that it wants: given, or from the `api.json` of its data directory. */
async function address (): Promise<{ url: string, token: string }> {
  if (values.url != null && values.token != null) {
    return { url: values.url, token: values.token }
  }

  if (values['data-dir'] == null) {
    fail('expected --data-dir <data directory of a running node>, or --url and --token; `npm start` starts a network and prints both', 2)
  }

  const path = join(values['data-dir'], 'api.json')

  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return fail(`expected the address of a running node in ${path}: start the node first`, 2)
  }
}

function fail (message: string, code: number): never {
  console.error(message)
  process.exit(code)
}

const { url, token } = await address()

/** GET, or POST if there is a body. Errors of the API have a code, a message and often a hint. */
async function call<T> (path: string, body?: object): Promise<T> {
  const response = await fetch(new URL(path, url), {
    method: body == null ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body == null ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(180_000)
  }).catch((err: Error) => fail(`no node answers at ${url}: ${err.message}`, 1))
  const value = await response.json()

  if (!response.ok) {
    fail(`${path} answered ${response.status} ${value.error?.code}: ${value.error?.message} ${value.error?.hint ?? ''}`, 1)
  }

  return value
}

// bases are listed too; what answers is an adapter on one
const models = (await call<Models>('/v1/models')).data.filter(({ datanet }) => datanet.kind === 'adapter')

console.info('models')
models.forEach(({ id, name, owned_by: developer }) => { console.info(`  ${name}  ${id}\n    by ${developer}`) })

const model = values.model ?? models.at(-1)?.id ?? fail('this node knows no admitted adapter yet: fine-tune one with `datanet train`', 1)
const { choices, usage, datanet } = await call<Completion>('/v1/chat/completions', {
  model,
  messages: [{ role: 'user', content: values.prompt }],
  max_tokens: 24,
  temperature: 0
})

console.info(`\n» ${values.prompt}${choices[0].message.content}\n`)
console.info(`receipt  ${datanet.receipt}`)
console.info(`fee      ${datanet.fee} base units for ${usage.prompt_tokens} + ${usage.completion_tokens} tokens`)
console.info(datanet.shares.length === 0 ? 'this adapter has no influence Jacobian: its scores come with the replay of the epoch' : 'shaped by')

for (const { title, share, influence, contributor } of datanet.shares.toSorted((a, b) => b.influence - a.influence)) {
  console.info(`  ${(share * 100).toFixed(1).padStart(5)} %  ${influence.toFixed(4).padStart(8)}  ${title}  ${contributor}`)
}
