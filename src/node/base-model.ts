import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseBaseJson } from '../models/index.ts'
import { baseModelCodec, cidOf } from '../wire/index.ts'
import { DataDirError } from './errors.ts'
import type { BaseModel } from '../interface/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

/** A base model as files: record, weights and tokenizer. */
export interface BaseFiles {
  cid: CID
  record: BaseModel
  weights: Uint8Array
  tokenizer: Uint8Array
}

/** The folder of this package, whether it runs from src/ or from dist/src/. */
export function packageRoot (): string {
  let folder = import.meta.dirname

  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)

    if (parent === folder) {
      throw new DataDirError('expected package.json above the program\'s files, but there is none', { hint: 'install datanet again' })
    }

    folder = parent
  }

  return folder
}

/** The base model that comes with this package: its record's CID decides whether peers have the same one. */
export async function shippedBase (): Promise<BaseFiles> {
  const folder = join(packageRoot(), 'models/base')
  const record = parseBaseJson(await readFile(join(folder, 'base.json')))

  return {
    cid: cidOf(baseModelCodec.encode(record)),
    record,
    weights: await readFile(join(folder, 'model.safetensors')),
    tokenizer: await readFile(join(folder, 'tokenizer.json'))
  }
}

/** Puts a base model into the store, unless it is there. */
export async function importBase (storage: Storage, base: BaseFiles): Promise<void> {
  if (await storage.has(base.cid)) {
    return
  }

  const weights = await storage.putFile(base.weights)
  const tokenizer = await storage.putFile(base.tokenizer)

  if (!weights.equals(base.record.weights) || !tokenizer.equals(base.record.tokenizer)) {
    throw new DataDirError(`the files of base model ${base.record.name} hash to ${weights.toString()} and ${tokenizer.toString()}, its record says ${base.record.weights.toString()} and ${base.record.tokenizer.toString()}`, {
      hint: 'the package is damaged: install it again'
    })
  }

  // the record last: it says that the rest is here
  await storage.put(baseModelCodec.encode(base.record), { pin: true })
}
