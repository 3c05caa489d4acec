import { readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { answerText, printShares } from './answer-print.ts'
import { amount, datanetNamed, decimal, integer } from './arguments.ts'
import { presets } from './choices.ts'
import { colours as pc } from './colours.ts'
import { contextOf, examples } from './context.ts'
import { fileError } from './errors.ts'
import { followTraining, pathOfTraining } from './follow-training.ts'
import { formatOpen, lossText, printable } from './output.ts'
import { printCitations } from './quotes.ts'
import { describeEstimate, recipeChanges, recipeOptions } from './recipe-options.ts'
import type { RecipeOptions } from './recipe-options.ts'
import type { AnswerView, BaseView, TrainingEstimateView, TrainingView } from '../interface/index.ts'

/** Whoever pressed Ctrl-C does not wait longer. */
const CANCEL_TIMEOUT_MS = 5_000

interface TrainOptions extends RecipeOptions {
  name: string
  base?: string
  preset: string
  steps?: number
  rank?: number
  seed?: number
  price?: bigint
  promptPrice?: bigint
  as?: string
  estimate?: boolean
  detach?: boolean
}

/** `datanet train`. */
export function trainCommand (): Command {
  const command = new Command('train')
    .description('fine-tune an adapter on Datanets and publish it')
    .argument('<datanets...>', 'names or CIDs of the Datanets')
    .requiredOption('--name <name>', 'name of the adapter')
    .option('--base <cid>', 'base model; default: the network\'s first')
    .addOption(new Option('--preset <preset>', 'recipe').choices(presets).default('quick'))
    .option('--steps <steps>', 'override the preset', integer(1, 100_000))
    .option('--rank <rank>', 'override the preset', integer(1, 256))
    .option('--seed <seed>', 'another seed, another adapter', integer(0, 4_294_967_295))
    .option('--price <amount>', 'OPEN for 1,000 tokens of an answer', amount)
    .option('--prompt-price <amount>', 'OPEN for 1,000 tokens of a prompt; default: as for an answer', amount)
    .option('--as <account>', 'account of the keychain that becomes developer')
    .option('--estimate', 'say what it would take and train nothing')
    .option('--detach', 'return at once; see how far it is with `datanet training show`, stop it with `datanet training cancel`')
  recipeOptions(command)
    .action(async (datanets: string[], options: TrainOptions, self: Command) => {
      const context = contextOf(self)
      const { out, node, signal, next } = context
      const { name, preset, steps, rank, seed, price, promptPrice, as, estimate: only, detach } = options
      const client = await node()
      const base = options.base ?? (await client.get<BaseView[]>('/api/v1/bases', { signal }))[0]?.base
      const names = await Promise.all(datanets.map(async text => datanetNamed(client, text, { signal })))
      const request = { name, preset, steps, rank, seed, as, base, datanets: names, method: options.method, recipe: recipeChanges(options), pricePerThousandTokens: price?.toString(), promptPricePerThousandTokens: promptPrice?.toString() }
      const estimate = await client.post<TrainingEstimateView>('/api/v1/trainings/estimate', request, { signal, timeoutMs: 180_000 })

      describeEstimate(estimate).forEach(text => { out.line(text) })

      if (only === true) {
        out.result(estimate)
        return
      }

      const started = await client.post<TrainingView>('/api/v1/trainings', request, { signal })

      if (detach === true) {
        out.line(`training ${started.id} is queued`)
        out.line(`to watch it or stop it: ${next(`training show ${started.id} --watch`)}, ${next(`training cancel ${started.id}`)}`)
        out.result(started)
        return
      }

      const done = await followTraining(context, client, started, async () => client.delete(pathOfTraining(started), { timeoutMs: CANCEL_TIMEOUT_MS })
        .then(() => 'the training is cancelled', () => `the training may go on: the node did not take its cancellation; look with ${next('training list')}`))

      out.line(`adapter ${done.name}: ${done.adapter ?? ''}`)
      out.line(`loss ${lossText(done)} nats per token`)
      out.line(`ask it with: ${next(`ask ${done.name} "…"`)}`)
      out.result(done)
    })

  return examples(command, [
    'datanet train speeches --name speeches',
    'datanet train bafy… bafy… --name mix --preset careful --steps 32',
    'datanet train speeches --name speeches --estimate',
    'datanet train talks --name talks --examples chat --clip 1 --targets q_proj,v_proj',
    'datanet train speeches --name speeches --detach --json'
  ])
}

/** `datanet ask`. */
export function askCommand (): Command {
  const command = new Command('ask')
    .description('ask an adapter, pay for the answer and see which contributions shaped it')
    .argument('<adapter>', 'name or CID')
    .argument('<prompt>', 'what the answer continues')
    .option('--max-tokens <tokens>', 'length of the answer', integer(1, 4_096), 48)
    .option('--temperature <temperature>', '0 is greedy', decimal(0, 10), 0)
    .option('--top-k <k>', 'choose among the k likeliest tokens, 0 for all', integer(0, 65_536), 0)
    .option('--seed <seed>', 'seed of the sampler', integer(0, 4_294_967_295), 0)
    .option('--rows-of <datanet>', 'show the best rows of this Datanet before the prompt; the adapter was trained on it')
    .option('--rows <count>', 'how many of them at most', integer(1, 16), 4)
    .option('--json-schema <file>', 'answer in JSON that keeps to the JSON Schema in this file, "any" for any object')
    .option('--as <account>', 'account of the keychain that pays')
    .action(async (adapter: string, prompt: string, { rowsOf, rows, jsonSchema, ...options }: AskCommandOptions, self: Command) => {
      const { out, node, signal, next } = contextOf(self)
      const client = await node()
      const retrieval = rowsOf == null ? undefined : { datanet: await datanetNamed(client, rowsOf, { signal }), rows }
      const schema = jsonSchema == null ? undefined : await schemaIn(jsonSchema)
      const answer = await client.post<AnswerView>('/api/v1/ask', { ...options, adapter, prompt, retrieval, schema }, { signal, timeoutMs: 180_000 })

      out.line(`${pc.dim(answer.prompt)}${answerText(answer)}`)
      out.line()

      if (answer.sources != null) {
        out.table(['', 'row', 'of', 'contribution'], answer.sources.map(({ text, row, title, contribution }, i) => [`[${i + 1}]`, clipped(text), `${title}, row ${row}`, contribution]))
        out.line()
      }

      printShares(out, answer)
      printCitations(out, answer)
      out.line(`paid ${formatOpen(answer.fee)} for ${answer.promptTokens} + ${answer.outputTokens} tokens, receipt ${answer.receipt}`)

      const [first] = answer.shares.toSorted((a, b) => b.share - a.share)

      if (first != null) {
        out.line(`when the epoch is settled (look with \`${next('status')}\`), see why it was paid: ${next(`why ${first.contribution}`)}`)
      }

      out.result(answer)
    })

  return examples(command, [
    'datanet ask speeches "Fellow citizens of the Senate"',
    'datanet ask speeches "The state of the Union" --temperature 0.8 --top-k 40 --seed 7',
    'datanet ask speeches "What was said of the harvest?" --rows-of speeches --rows 3',
    'datanet ask speeches "The president:" --json-schema president.json'
  ])
}

interface AskCommandOptions {
  maxTokens: number
  temperature: number
  topK: number
  seed: number
  as?: string
  rowsOf?: string
  rows: number
  jsonSchema?: string
}

/** The schema in a file; the node says what is wrong with it. */
async function schemaIn (file: string): Promise<string> {
  if (file === 'any') {
    return '{"type":"object"}'
  }

  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw fileError(file, cause)
  })
}

/** A row on one line of a table. */
function clipped (text: string): string {
  const line = printable(text.replaceAll(/\s+/g, ' ')).trim()

  return line.length <= 60 ? line : `${line.slice(0, 59)}…`
}
