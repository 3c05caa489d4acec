import { PEFT_LENGTH_BYTES } from './constants.ts'

/**
 * A PEFT directory as the body of one request: the length of adapter_config.json (32 bits,
 * big-endian), that file, adapter_model.safetensors. As JSON, 64 MiB of weights hold up the node for a
 * third of a second while they are parsed.
 */
export function packPeft ({ config, weights }: { config: Uint8Array, weights: Uint8Array }): Uint8Array {
  const body = new Uint8Array(PEFT_LENGTH_BYTES + config.byteLength + weights.byteLength)

  new DataView(body.buffer).setUint32(0, config.byteLength)
  body.set(config, PEFT_LENGTH_BYTES)
  body.set(weights, PEFT_LENGTH_BYTES + config.byteLength)

  return body
}
