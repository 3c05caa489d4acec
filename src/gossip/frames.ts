import { DatanetError } from '../utils/index.ts'
import { ERROR_BYTES_MAX } from './constants.ts'
import { MalformedResponseError, RemoteError } from './errors.ts'
import type { Uint8ArrayList } from 'uint8arraylist'

/** First byte of each frame of an answer; see protocols/gossip/gossip.md. */
const FRAME_MESSAGE = 0
const FRAME_END = 1
const FRAME_ERROR = 2

export const messageFrame = (message: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(message.byteLength + 1)
  frame[0] = FRAME_MESSAGE
  frame.set(message, 1)
  return frame
}

export const endFrame = (): Uint8Array => Uint8Array.of(FRAME_END)

/** Only our own errors are told; others would reveal what is no business of the peer. */
export function errorFrame (error: unknown): Uint8Array {
  const text = error instanceof DatanetError ? `${error.code} ${error.message}` : 'ERR_INTERNAL the request failed'
  const bytes = new TextEncoder().encode(text).subarray(0, ERROR_BYTES_MAX)
  const frame = new Uint8Array(bytes.byteLength + 1)
  frame[0] = FRAME_ERROR
  frame.set(bytes, 1)
  return frame
}

/**
 * @returns the message, or undefined at the end of the answer
 * @throws {RemoteError | MalformedResponseError}
 */
export function readFrame (protocol: string, frame: Uint8ArrayList): Uint8Array | undefined {
  const bytes = frame.subarray()

  switch (bytes[0]) {
    case FRAME_MESSAGE:
      return bytes.subarray(1)
    case FRAME_END:
      if (bytes.byteLength !== 1) {
        throw new MalformedResponseError(protocol, 'its end carries bytes')
      }
      return undefined
    case FRAME_ERROR: {
      if (bytes.byteLength > ERROR_BYTES_MAX + 1) {
        throw new MalformedResponseError(protocol, 'its error is too long')
      }
      const text = new TextDecoder().decode(bytes.subarray(1))
      const [code, ...words] = text.split(' ')
      throw new RemoteError(protocol, /^ERR_[A-Z0-9_]{1,60}$/.test(code) ? code : 'ERR_UNNAMED', words.join(' '))
    }
    default:
      throw new MalformedResponseError(protocol, `frame type ${String(bytes[0])}`)
  }
}
