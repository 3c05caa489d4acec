import { ALIGN_BYTES } from './constants.ts'
import { AdapterMemoryError, InferenceSettingsError } from './errors.ts'
import { Heap } from './memory.ts'
import type { Lora } from './interface.ts'
import type { LoraFactor, LoraShape, LoraTarget } from '../models/index.ts'
import type { Kernels } from '../numeric/index.ts'

/** Projections that read the same rows: their A's are multiplied as one. */
export const INPUT_GROUPS: ReadonlyArray<readonly LoraTarget[]> = [['q_proj', 'k_proj', 'v_proj'], ['o_proj'], ['gate_proj', 'up_proj'], ['down_proj']]

/** One adapted projection within its group. */
export interface PlacedTarget {
  /** bytes from the layer's begin to B, packed */
  offsetB: number
  outputs: number
  /** where its part of the low-rank row begins */
  lowOffset: number
}

export interface PlacedGroup {
  /** bytes from the layer's begin to the A's of all targets, packed side by side */
  offsetA: number
  inputs: number
  /** sum of ranks */
  lowSize: number
  targets: Map<LoraTarget, PlacedTarget>
}

/** How an adapter's factors lie in memory, the same in every layer. */
export interface AdapterLayout {
  rank: number
  layerBytes: number
  bytes: number
  /** by index of INPUT_GROUPS */
  groups: Array<PlacedGroup | undefined>
}

/** An adapter in the engine's memory. */
export interface Resident {
  lora: Lora
  layout: AdapterLayout
  at: number
  /** running sequences that use it */
  pins: number
}

const ceil8 = (n: number): number => Math.ceil(n / 8) * 8

export function adapterLayout (shape: LoraShape, layers: number): AdapterLayout {
  const { rank } = shape
  const first = new Map(shape.factors.filter(({ layer }) => layer === 0).map(factor => [factor.target, factor]))
  let offset = 0
  const groups = INPUT_GROUPS.map((targets): PlacedGroup | undefined => {
    const present = targets.flatMap(target => first.get(target) ?? [])
    if (present.length === 0) {
      return undefined
    }
    const group: PlacedGroup = { offsetA: offset, inputs: present[0].inputs, lowSize: rank * present.length, targets: new Map() }
    offset += 4 * group.inputs * ceil8(group.lowSize)
    present.forEach(({ target, outputs }, i) => {
      group.targets.set(target, { offsetB: offset, outputs, lowOffset: i * rank })
      offset += 4 * rank * ceil8(outputs)
    })
    return group
  })
  const bytes = Math.ceil(offset * layers / ALIGN_BYTES) * ALIGN_BYTES
  return { rank, layerBytes: offset, bytes, groups }
}

/** Bytes of staging that packing one group may need. */
export function adapterStagedBytes (rankMax: number, inputsMax: number, outputsMax: number): number {
  return 4 * rankMax * Math.max(3 * inputsMax, outputsMax)
}

export interface AdapterStoreInit {
  kernels: Kernels
  layers: number
  begin: number
  bytesMax: number
  /** an area to pack from */
  staging: number
  stagedBytes: number
}

/** Adapters packed for products, the least recently used first to go; those in use stay. */
export class AdapterStore {
  readonly #init: AdapterStoreInit
  readonly #heap: Heap
  readonly #floats: Float32Array
  /** last is most recently used */
  readonly #residents = new Map<Lora, Resident>()
  bytes = 0
  loads = 0

  constructor (init: AdapterStoreInit) {
    this.#init = init
    this.#heap = new Heap(init.begin, Math.floor(init.bytesMax / ALIGN_BYTES) * ALIGN_BYTES)
    this.#floats = new Float32Array(init.kernels.buffer)
  }

  get size (): number {
    return this.#residents.size
  }

  has (lora: Lora): boolean {
    return this.#residents.has(lora)
  }

  /** Bytes that an adapter takes. */
  bytesOf (lora: Lora): number {
    return this.#residents.get(lora)?.layout.bytes ?? adapterLayout(lora.shape, this.#init.layers).bytes
  }

  /** Brings all of them into memory and keeps them there until `unpin`; undefined while there is no room. */
  pin (loras: readonly Lora[]): Resident[] | undefined {
    const pinned: Resident[] = []
    for (const lora of loras) {
      const resident = this.load(lora)
      if (resident == null) {
        this.unpin(pinned)
        return undefined
      }
      resident.pins++
      pinned.push(resident)
    }
    return pinned
  }

  unpin (residents: readonly Resident[]): void {
    for (const resident of residents) {
      resident.pins--
    }
  }

  /** An adapter in memory, packed now if it was not; undefined if those in use leave no room. */
  load (lora: Lora): Resident | undefined {
    const known = this.#residents.get(lora)
    if (known != null) {
      this.#residents.delete(lora)
      this.#residents.set(lora, known)
      return known
    }
    const layout = adapterLayout(lora.shape, this.#init.layers)
    const at = this.#room(layout.bytes)
    if (at == null) {
      return undefined
    }
    const resident = { lora, layout, at, pins: 0 }
    this.#pack(resident)
    this.#residents.set(lora, resident)
    this.bytes += layout.bytes
    this.loads++
    return resident
  }

  /** @throws {AdapterMemoryError} while it is in use */
  unload (lora: Lora): boolean {
    const resident = this.#residents.get(lora)
    if (resident == null) {
      return false
    }
    if (resident.pins > 0) {
      throw new AdapterMemoryError(`expected an adapter that nobody uses but ${resident.pins} running sequences do: unload it when they have ended`)
    }
    this.#drop(resident)
    return true
  }

  #room (bytes: number): number | undefined {
    let at = this.#heap.take(bytes)
    for (const resident of this.#residents.values()) {
      if (at != null) {
        break
      }
      if (resident.pins === 0) {
        this.#drop(resident)
        at = this.#heap.take(bytes)
      }
    }
    return at
  }

  #drop ({ lora, at, layout }: Resident): void {
    this.#residents.delete(lora)
    this.#heap.give(at, layout.bytes)
    this.bytes -= layout.bytes
  }

  #pack ({ lora: { shape, theta }, layout, at }: Resident): void {
    const factors = new Map(shape.factors.map(factor => [`${factor.layer}.${factor.target}`, factor]))
    for (let layer = 0; layer < this.#init.layers; layer++) {
      const begin = at + layer * layout.layerBytes
      for (const group of layout.groups) {
        if (group == null) {
          continue
        }
        const members = [...group.targets].map(([target, placed]) => ({ placed, factor: factorOf(factors, layer, target) }))
        members.forEach(({ factor }, i) => { this.#stage(theta, factor.offsetA, layout.rank * group.inputs, i * layout.rank * group.inputs) })
        this.#init.kernels.packColumns(group.lowSize, group.inputs, this.#init.staging, 1, group.inputs, begin + group.offsetA)
        for (const { placed, factor } of members) {
          this.#stage(theta, factor.offsetB, placed.outputs * layout.rank, 0)
          this.#init.kernels.packColumns(placed.outputs, layout.rank, this.#init.staging, 1, layout.rank, begin + placed.offsetB)
        }
      }
    }
  }

  /** Rounds to f32 on the way. */
  #stage (theta: Float64Array, from: number, count: number, to: number): void {
    if (4 * (to + count) > this.#init.stagedBytes) {
      throw new InferenceSettingsError(`expected factors of at most ${this.#init.stagedBytes} bytes but one has ${4 * (to + count)}`)
    }
    this.#floats.set(theta.subarray(from, from + count), (this.#init.staging >>> 2) + to)
  }
}

function factorOf (factors: Map<string, LoraFactor>, layer: number, target: LoraTarget): LoraFactor {
  const factor = factors.get(`${layer}.${target}`)
  if (factor == null) {
    throw new InferenceSettingsError(`expected an adapter with the same targets in every layer but layer ${layer} has no ${target}`)
  }
  return factor
}

/** Bytes that an adapter takes in an engine's memory. */
export function adapterBytes (shape: LoraShape): number {
  return adapterLayout(shape, 1 + Math.max(...shape.factors.map(({ layer }) => layer))).bytes
}
