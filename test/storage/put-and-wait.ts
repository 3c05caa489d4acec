/**
 * A process that stores, says what it acknowledged and waits to be killed.
 * Usage: node put-and-wait.ts <folder>
 */
import { encode } from '@ipld/dag-cbor'
import { storage } from '../../src/storage/index.ts'
import { testNetwork } from './network.ts'

const store = storage({ dataDir: process.argv[2] })({ network: await testNetwork() })
await store.start()
const block = await store.put(encode({ acknowledged: true }), { pin: true })
const file = await store.putFile(new Uint8Array(1_500_000).fill(7))
process.stdout.write(`${JSON.stringify({ block: block.toString(), file: file.toString() })}\n`)
