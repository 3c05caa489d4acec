/**
 * The same product by those who do it in WebAssembly as well, on one thread: XNNPACK in TensorFlow.js
 * and MLAS in onnxruntime-web. Both start from operands in plain rows, as ours does.
 */
import { fileURLToPath } from 'node:url'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'

/** [m,n,k] */
export type Shape = readonly [number, number, number]

export interface Peer {
  /** C = A·B once. */
  multiply (): Promise<void> | void
  /** What it computed last. */
  result (): Promise<Float32Array>
}

export async function xnnpack ([m, n, k]: Shape, a: Float32Array, b: Float32Array): Promise<Peer> {
  setWasmPaths(fileURLToPath(new URL('.', import.meta.resolve('@tensorflow/tfjs-backend-wasm'))))
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  await tf.setBackend('wasm')
  await tf.ready()
  const [x, y] = [tf.tensor2d(a, [m, k]), tf.tensor2d(b, [k, n])]
  return {
    multiply () {
      tf.matMul(x, y).dispose()
    },
    result: async () => tf.matMul(x, y).data<'float32'>()
  }
}

const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)]

function varint (value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]
}

/** A length-delimited protobuf field. */
function field (number: number, bytes: number[]): number[] {
  return [...varint((number << 3) | 2), ...varint(bytes.length)].concat(bytes)
}

function integer (number: number, value: number): number[] {
  return [...varint(number << 3), ...varint(value)]
}

/** ValueInfoProto of an f32 tensor: name = 1; type = 2: tensor_type = 1: elem_type = 1, shape = 2: dim = 1: dim_value = 1. */
function value (name: string, shape: readonly number[]): number[] {
  const dims = shape.flatMap(size => field(1, integer(1, size)))
  return [...field(1, bytesOf(name)), ...field(2, field(1, [...integer(1, 1), ...field(2, dims)]))]
}

/** TensorProto: dims = 1, data_type = 2, name = 8, raw_data = 9. */
function tensor (name: string, shape: readonly number[], values: Float32Array): number[] {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return [...shape.flatMap(size => integer(1, size)), ...integer(2, 1), ...field(8, bytesOf(name)), ...field(9, Array.from(raw))]
}

/**
 * ModelProto of one MatMul: ir_version = 1, graph = 7, opset_import = 8; GraphProto: node = 1, name = 2,
 * initializer = 5, input = 11, output = 12. A frozen right operand is an initialiser, which is packed ahead.
 */
function matmulModel ([m, n, k]: Shape, frozen?: Float32Array): Uint8Array {
  const node = [...field(1, bytesOf('a')), ...field(1, bytesOf('b')), ...field(2, bytesOf('c')), ...field(4, bytesOf('MatMul'))]
  const graph = [...field(1, node), ...field(2, bytesOf('product')), ...field(11, value('a', [m, k])), ...(frozen == null ? field(11, value('b', [k, n])) : field(5, tensor('b', [k, n], frozen))), ...field(12, value('c', [m, n]))]
  return Uint8Array.from([...integer(1, 8), ...field(7, graph), ...field(8, integer(2, 13))])
}

export async function onnxruntimeWeb (shape: Shape, a: Float32Array, b: Float32Array, frozen: boolean): Promise<Peer> {
  const ort = await import('onnxruntime-web/wasm')
  ort.env.wasm.numThreads = 1
  const session = await ort.InferenceSession.create(matmulModel(shape, frozen ? b : undefined), { executionProviders: ['wasm'] })
  const [m, n, k] = shape
  const x = { a: new ort.Tensor('float32', a, [m, k]) }
  const feeds = frozen ? x : { ...x, b: new ort.Tensor('float32', b, [k, n]) }
  return {
    async multiply () {
      await session.run(feeds)
    },
    async result () {
      const { c } = await session.run(feeds)
      return Float32Array.from(c.data as Float32Array)
    }
  }
}
