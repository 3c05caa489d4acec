import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { consensus } from '../../src/consensus/index.ts'

/** One rule taken out of the source. The simulator has to notice. */
export interface Mutant {
  name: string
  file: string
  find: string
  replace: string
}

const source = new URL('../../src/', import.meta.url)

/** The state machine with one rule changed, made from the source in a temporary folder. */
export const mutate = async ({ file, find, replace }: Mutant): Promise<{ machine: typeof consensus, remove (): Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'datanet-mutant-'))
  const home = new URL('consensus/', source)

  await mkdir(folder, { recursive: true })

  for (const name of await readdir(home)) {
    const original = await readFile(new URL(name, home), 'utf8')
    const text = name === file ? original.replace(find, () => replace) : original

    if (name === file && text === original) {
      throw new Error(`the mutant's text is no longer in ${file}: ${find}`)
    }

    // the copy lives elsewhere: other modules and packages are named by where they are
    await writeFile(join(folder, name), text
      .replaceAll(/from '\.\.\/([^']+)'/g, (_, path: string) => `from '${new URL(path, source).href}'`)
      .replaceAll(/from '(@[^']+)'/g, (_, path: string) => `from '${import.meta.resolve(path)}'`))
  }

  const module: { consensus: typeof consensus } = await import(pathToFileURL(join(folder, 'index.ts')).href)

  return { machine: module.consensus, remove: async () => { await rm(folder, { recursive: true }) } }
}
