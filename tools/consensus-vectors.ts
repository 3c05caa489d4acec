/**
 * Writes protocols/consensus/vectors: votes and certificates that verify, and some that do not.
 *
 *   node tools/consensus-vectors.ts [--check]
 *
 * Deterministic; `--check` writes nothing and fails if a file would change.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { consensusVectors } from '../test/consensus/vectors.ts'

const folder = new URL('../protocols/consensus/vectors/', import.meta.url)

await mkdir(folder, { recursive: true })

for (const [name, value] of Object.entries(consensusVectors())) {
  const file = new URL(`${name}.json`, folder)
  const text = `${JSON.stringify(value, null, 2)}\n`

  if (!process.argv.includes('--check')) {
    await writeFile(file, text)
  } else if (await readFile(file, 'utf8') !== text) {
    console.error(`${name}.json is not what the code makes: a changed vector is a protocol change`)
    process.exitCode = 1
  }
}
