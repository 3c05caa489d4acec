import { readdirSync, readFileSync } from 'node:fs'
import * as dagCbor from '@ipld/dag-cbor'
import { fromDSL } from '@ipld/schema/from-dsl.js'
import { create } from '@ipld/schema/typed.js'
import { expect } from 'aegir/chai'
import { fromHex } from '../../src/wire/index.ts'

const root = new URL('../../protocols/', import.meta.url)

/** the type of the vectors' bytes; others name their root after the folder */
const roots: Record<string, string> = {
  datanet: 'Datanet',
  shard: 'Shard',
  contribution: 'SignedContribution',
  attestation: 'SignedAttestation',
  snapshot: 'Snapshot',
  'base-model': 'BaseModel',
  recipe: 'Recipe',
  adapter: 'SignedAdapter',
  'imported-adapter': 'SignedImportedAdapter',
  'merged-adapter': 'SignedMergedAdapter',
  receipt: 'CosignedReceipt',
  'receipt-opening': 'ReceiptOpening',
  voucher: 'Voucher',
  'score-table': 'ScoreTable',
  transaction: 'SignedTransaction',
  genesis: 'Genesis',
  header: 'Header',
  block: 'Block',
  certificate: 'Certificate'
}

/** schemas have no imports: the folders whose types these use */
const uses: Record<string, string[]> = { 'receipt-opening': ['receipt'], block: ['header', 'transaction'], certificate: ['header'] }

function schemaOf (folder: string): string {
  return readFileSync(new URL(`${folder}/${folder}.ipldsch`, root), 'utf8')
}

function schemaFiles (): string[] {
  return readdirSync(root, { recursive: true }).map(String).filter(path => path.endsWith('.ipldsch'))
}

describe('schemas of records', () => {
  for (const path of schemaFiles()) {
    it(`${path} is valid IPLD Schema`, () => {
      expect(Object.keys(fromDSL(readFileSync(new URL(path, root), 'utf8')).types)).not.to.be.empty()
    })
  }

  for (const [folder, type] of Object.entries(roots)) {
    it(`${type} describes the vectors of ${folder}`, () => {
      const { toTyped } = create(fromDSL([folder, ...uses[folder] ?? []].map(schemaOf).join('\n')), type)
      const { vectors } = JSON.parse(readFileSync(new URL(`${folder}/vectors/valid.json`, root), 'utf8'))

      for (const { name, bytes } of vectors) {
        expect(toTyped(dagCbor.decode(fromHex(bytes))), name).not.to.equal(undefined)
      }
    })
  }
})
