/** Prints the hashes as JSON: `node test/numeric/print-golden.ts > test/numeric/golden.json`. */
import { golden } from './golden.ts'

console.info(JSON.stringify(golden('wasm'), null, 2))
