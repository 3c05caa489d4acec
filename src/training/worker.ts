/**
 * The entry of a worker thread: one model, one objective, tasks by message. Pauses after each
 * example so that a cancel gets through, and tells that it lives.
 */
import { setPriority } from 'node:os'
import { setImmediate as pause } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import { evaluator, forwardInfluence, influenceMethod, loraBlocks, mergedEffects } from '../attribution/index.ts'
import { schemaConstraint, UnsupportedSchemaError } from '../grammar/index.ts'
import { examplesOf, loadChat, loadModel, loadTokenizer, loraObjective, SettingsError, TokensError, verifiedGradient, verifiedGradients } from '../models/index.ts'
import { nearDuplicates } from '../scoring/index.ts'
import { toError } from '../utils/index.ts'
import { WORKER_NICENESS } from './constants.ts'
import { TrainingInputError } from './errors.ts'
import { comparedTokens } from './players.ts'
import type { WorkerReply, WorkerRequest, WorkerResult, WorkerSetup, WorkerTask } from './messages.ts'
import type { Evaluator, InfluenceMethod } from '../attribution/index.ts'
import type { ChatTemplate, LlamaModel, LoraShape, TokenConstraint, Tokenizer } from '../models/index.ts'

interface Loaded {
  model: LlamaModel
  tokenizer: Tokenizer
  shape: LoraShape
  /** the base's own */
  template?: ChatTemplate
  /** what the examples that were cut here are compared by, and the contribution of each */
  cut?: { compared: Uint32Array[], groups: Uint32Array }
  examples?: Evaluator
}

const running = new Map<number, AbortController>()
let loaded: Loaded | undefined

function reply (message: WorkerReply, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer)
}

async function breathe (): Promise<void> {
  reply({ alive: true })

  return pause()
}

function load ({ base, weights, tokenizer: file, chatTemplate, shape }: WorkerSetup): WorkerResult {
  loaded = {
    model: loadModel(base, weights),
    tokenizer: loadTokenizer(base, file),
    shape,
    template: loadChat(chatTemplate)
  }

  return { op: 'none' }
}

function ready (): Loaded {
  if (loaded === undefined) {
    throw new TrainingInputError('a worker got a task before its setup: send the setup first')
  }

  return loaded
}

function examples (): Evaluator {
  const { examples } = ready()

  if (examples === undefined) {
    throw new TrainingInputError('a worker got a batch before its examples: send the examples first')
  }

  return examples
}

function cut (): NonNullable<Loaded['cut']> {
  const { cut } = ready()

  if (cut === undefined) {
    throw new TrainingInputError('a worker was asked for players before it cut examples: cut them first')
  }

  return cut
}

function methodOf (task: Extract<WorkerTask, { op: 'scores' | 'columns' }>): InfluenceMethod {
  return influenceMethod(task.method, { ...task, examples: examples(), blocks: loraBlocks(ready().shape) })
}

async function perform (id: number, task: WorkerTask, signal: AbortSignal): Promise<WorkerResult> {
  switch (task.op) {
    case 'setup':
      return load(task.setup)
    case 'cut': {
      const cut = examplesOf(task.texts.map(texts => ({ texts })), ready().tokenizer, task.sequenceLength, { kind: task.kind, template: ready().template })

      ready().cut = { compared: comparedTokens(cut), groups: cut.contributionOf }

      return { op: 'cut', ...cut }
    }
    case 'players': {
      const { compared, groups } = cut()

      return { op: 'players', representatives: nearDuplicates(compared, groups, task.places) }
    }
    case 'examples': {
      const { model, shape } = ready()
      const { examples, lossMasks } = task

      ready().examples = evaluator(loraObjective({ model, shape, examples, lossMasks })(), breathe)

      return { op: 'none' }
    }
    case 'gradients':
      await examples().gradients(task.theta, task.batch, (position, loss, values) => {
        const gradient = values.slice()

        reply({ id, part: { position, loss, gradient, derivatives: new Float64Array(0), hvps: [] } }, [gradient.buffer])
      }, { signal })

      return { op: 'none' }
    case 'duals':
      await examples().duals(task.theta, task.batch, task.tangents, (position, loss, values, derivatives, products) => {
        const gradient = values.slice()
        const hvps = products.map(product => product.slice())

        reply({ id, part: { position, loss, gradient, derivatives, hvps } }, [gradient.buffer, ...hvps.map(({ buffer }) => buffer)])
      }, { signal })

      return { op: 'none' }
    case 'jacobian':
      return { op: 'jacobian', ...await forwardInfluence(examples(), task.plan, task.groups, task.contributions, { ...task, signal, onProgress: ({ step }) => { reply({ id, progress: step }) } }) }
    case 'scores':
      return { op: 'scores', ...await methodOf(task).scores(task.cotangent, { signal }) }
    case 'columns':
      return { op: 'columns', columns: await methodOf(task).columns(task.groups, task.columns, { signal }) }
    case 'merged':
      return mergedAnswer(task)
    default:
      return answer(task)
  }
}

function answer ({ theta, prompt, output, sampler, schema, shows: shown }: Extract<WorkerTask, { op: 'answer' }>): WorkerResult {
  const { model, shape, tokenizer } = ready()
  const constraint = constraintOf(schema, tokenizer)
  // no answer keeps to a schema that is none
  const gradient = constraint === null ? undefined : whereItFollows(() => verifiedGradient(model, { prompt, output, sampler, lora: { shape, theta }, stop: [tokenizer.eos], constraint }).gradient)

  if (gradient === undefined) {
    return { op: 'answer', follows: false, shows: false, gradient: new Float64Array(shape.parameters) }
  }

  const shows = shown !== undefined && tokenizer.decode(prompt).includes(shown)

  return { op: 'answer', follows: true, shows, gradient }
}

function mergedAnswer ({ lora, prompt, output, sampler, schema, shows: shown }: Extract<WorkerTask, { op: 'merged' }>): WorkerResult {
  const { model, tokenizer } = ready()
  const constraint = constraintOf(schema, tokenizer)
  const gradients = constraint === null ? undefined : whereItFollows(() => verifiedGradients(model, { prompt, output, sampler, lora, stop: [tokenizer.eos], constraint }).gradients)

  if (gradients === undefined) {
    return { op: 'merged', follows: false, shows: false, sharesPpm: lora.map(() => 0), gradients: lora.map(one => new Float64Array(one.lora.shape.parameters)) }
  }

  const shows = shown !== undefined && tokenizer.decode(prompt).includes(shown)
  // each pass may take as long as an answer of one adapter does: a thread that is silent for all of them would count as lost
  const sharesPpm = mergedEffects(model, { prompt, output, adapters: lora, onPass: () => { reply({ alive: true }) } }).map(({ sharePpm }) => sharePpm)

  return { op: 'merged', follows: true, shows, sharesPpm, gradients }
}

/** Nothing follows from tokens that the model cannot be given (foreign, none, more than its context), or from settings that no sampler has. */
function whereItFollows<T> (verify: () => T): T | undefined {
  try {
    return verify()
  } catch (err) {
    if (err instanceof TokensError || err instanceof SettingsError) {
      return undefined
    }

    throw err
  }
}

/** @returns null for a schema that this engine does not have */
function constraintOf (schema: string | undefined, tokenizer: Tokenizer): TokenConstraint | undefined | null {
  try {
    return schema === undefined ? undefined : schemaConstraint(schema, tokenizer)
  } catch (err) {
    if (err instanceof UnsupportedSchemaError) {
      return null
    }

    throw err
  }
}

function describe (err: unknown): { code: string, message: string } {
  const message = toError(err).message
  const code = err instanceof Error && 'code' in err && typeof err.code === 'string' ? err.code : 'ERR_WORKER_FAILED'

  return { code, message }
}

async function handle (request: WorkerRequest): Promise<void> {
  const { id } = request

  if ('cancel' in request) {
    running.get(id)?.abort()

    return
  }

  const controller = new AbortController()

  running.set(id, controller)

  try {
    reply({ id, result: await perform(id, request.task, controller.signal) })
  } catch (err) {
    reply({ id, error: describe(err) })
  } finally {
    running.delete(id)
  }
}

// Linux alone counts niceness by thread; elsewhere this would slow down the whole process
if (process.platform === 'linux') {
  setPriority(0, WORKER_NICENESS)
}

parentPort?.on('message', (request: WorkerRequest) => { void handle(request) })
