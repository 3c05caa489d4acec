/**
 * Makes everything that is generated and committed anew and compares: kernels and test vectors.
 *
 *   npm run check:generated
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const generators = ['build-kernels.ts', 'vectors.ts', 'ledger-vectors.ts', 'consensus-vectors.ts', 'model-vectors.ts', 'storage-vectors.ts']
let failed = 0

for (const generator of generators) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [
    '--experimental-transform-types', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, generator), '--check'
  ], { encoding: 'utf8' })

  if (status === 0) {
    console.log(`generated: ${generator} is up to date`)
  } else {
    failed++
    console.error(`generated: ${generator} makes something else than what is committed\n${stdout}${stderr}`)
  }
}

process.exit(failed === 0 ? 0 : 1)
