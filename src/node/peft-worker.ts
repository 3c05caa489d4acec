/**
 * The entry of a worker thread: one PEFT directory in, the one file that its values have out. Reading
 * 86 MB takes a second or more, in which nobody would be answered.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { importPeft, thetaToPeft } from '../models/index.ts'
import { DatanetError } from '../utils/index.ts'
import type { PeftReply, PeftWork } from './peft-thread.ts'

function read ({ config, files }: PeftWork): PeftReply {
  try {
    const { shape, theta } = importPeft(config, files)
    const { rank, alpha, targets, parameters } = shape

    return { read: { rank, alpha, targets: [...targets].sort(), parameters, weights: thetaToPeft(shape, theta).weights } }
  } catch (err) {
    if (err instanceof DatanetError) {
      return { refused: { code: err.code, message: err.message, hint: err.hint } }
    }

    // the thread ends with it
    throw err
  }
}

const reply = read(workerData)

parentPort?.postMessage(reply, 'read' in reply && reply.read.weights.buffer instanceof ArrayBuffer ? [reply.read.weights.buffer] : [])
