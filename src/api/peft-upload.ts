import { PEFT_LENGTH_BYTES } from '../client/index.ts'
import { UploadError } from './errors.ts'
import type { PeftFiles } from '../models/index.ts'

/**
 * The files in a body that `packPeft` made; they share its memory.
 *
 * @throws {UploadError}
 */
export function unpackPeft (body: unknown): PeftFiles {
  if (!Buffer.isBuffer(body) || body.byteLength < PEFT_LENGTH_BYTES) {
    throw new UploadError('expected the length of adapter_config.json in 4 bytes, that file and adapter_model.safetensors as the body, with content-type application/octet-stream')
  }

  const end = PEFT_LENGTH_BYTES + body.readUInt32BE(0)

  if (end > body.byteLength) {
    throw new UploadError(`expected an adapter_config.json of ${end - PEFT_LENGTH_BYTES} bytes, as the body's first four say, but ${body.byteLength - PEFT_LENGTH_BYTES} follow`)
  }

  return { config: new Uint8Array(body.buffer, body.byteOffset + PEFT_LENGTH_BYTES, end - PEFT_LENGTH_BYTES), weights: new Uint8Array(body.buffer, body.byteOffset + end, body.byteLength - end) }
}
