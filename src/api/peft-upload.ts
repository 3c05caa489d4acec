import { UploadError } from './errors.ts'
import type { PeftFiles } from '../models/index.ts'

/** Bytes that say how long adapter_config.json is. */
const LENGTH_BYTES = 4

/**
 * A PEFT directory as the body of one request: the length of adapter_config.json (32 bits,
 * big-endian), that file, adapter_model.safetensors. As JSON, 64 MiB of weights hold up the node for a
 * third of a second while they are parsed.
 */
export function packPeft ({ config, weights }: PeftFiles): Uint8Array {
  const body = new Uint8Array(LENGTH_BYTES + config.byteLength + weights.byteLength)

  new DataView(body.buffer).setUint32(0, config.byteLength)
  body.set(config, LENGTH_BYTES)
  body.set(weights, LENGTH_BYTES + config.byteLength)

  return body
}

/**
 * The files in a body; they share its memory.
 *
 * @throws {UploadError}
 */
export function unpackPeft (body: unknown): PeftFiles {
  if (!Buffer.isBuffer(body) || body.byteLength < LENGTH_BYTES) {
    throw new UploadError('expected the length of adapter_config.json in 4 bytes, that file and adapter_model.safetensors as the body, with content-type application/octet-stream')
  }

  const end = LENGTH_BYTES + body.readUInt32BE(0)

  if (end > body.byteLength) {
    throw new UploadError(`expected an adapter_config.json of ${end - LENGTH_BYTES} bytes, as the body's first four say, but ${body.byteLength - LENGTH_BYTES} follow`)
  }

  return { config: new Uint8Array(body.buffer, body.byteOffset + LENGTH_BYTES, end - LENGTH_BYTES), weights: new Uint8Array(body.buffer, body.byteOffset + end, body.byteLength - end) }
}
