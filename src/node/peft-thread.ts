import { Worker } from 'node:worker_threads'
import PQueue from 'p-queue'
import { raceSignal } from 'race-signal'
import { ForeignFileError, ImportsFullError, ImportThreadError } from './errors.ts'
import { IMPORTS_WAITING_MAX } from './registry-constants.ts'
import type { AbortOptions, LlamaConfig } from '../interface/index.ts'
import type { PeftFiles } from '../models/index.ts'

/** What a worker thread gets. */
export interface PeftWork {
  config: LlamaConfig
  files: PeftFiles
}

/** An adapter that was read: its shape, and its weights as datanet writes them. */
export interface ReadPeft {
  rank: number
  alpha: number
  /** in the order of the alphabet */
  targets: string[]
  parameters: number
  weights: Uint8Array
}

/** What it gives back; `refused` is an error of ours. */
export type PeftReply = { read: ReadPeft } | { refused: { code: string, message: string, hint?: string } }

// from sources Node strips the types, from dist it finds the compiled file
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './peft-worker.ts' : './peft-worker.js', import.meta.url)

/** One at a time: each takes several times its bytes. */
const queue = new PQueue({ concurrency: 1 })

/**
 * Reads a PEFT directory for a base on a thread of its own, so that the node answers meanwhile.
 *
 * @param config - of the base
 * @param files - adapter_config.json and adapter_model.safetensors
 * @throws {ImportsFullError} if IMPORTS_WAITING_MAX wait
 * @throws {ForeignFileError} with the code of what is wrong with the files
 * @throws {ImportThreadError} if the thread ends without an answer
 */
export async function readPeft (config: LlamaConfig, files: PeftFiles, { signal }: AbortOptions = {}): Promise<ReadPeft> {
  if (queue.size >= IMPORTS_WAITING_MAX) {
    throw new ImportsFullError(queue.size)
  }

  return queue.add(async () => {
    signal?.throwIfAborted()

    const work: PeftWork = { config, files }
    const worker = new Worker(ENTRY, { workerData: work })

    try {
      const reply = await raceSignal(replyOf(worker), signal)

      if ('refused' in reply) {
        throw new ForeignFileError(reply.refused)
      }

      return reply.read
    } finally {
      await worker.terminate()
    }
  })
}

async function replyOf (worker: Worker): Promise<PeftReply> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', cause => { reject(new ImportThreadError('failed', cause)) })
    worker.once('exit', () => { reject(new ImportThreadError('ended')) })
  })
}
