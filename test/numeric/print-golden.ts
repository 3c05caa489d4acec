/** Prints the hashes as JSON, for comparison and for pasting into golden-hashes.ts. */
import { golden } from './golden.ts'

// eslint-disable-next-line no-console
console.info(JSON.stringify(golden('wasm'), null, 2))
