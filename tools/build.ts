/**
 * Builds what `npm start` runs: dist/src by tsc (incremental) and the page by Vite, each only if stale.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** Time of the newest file under a folder, 0 if there is none. */
function newest (path: string): number {
  if (!existsSync(path)) {
    return 0
  }

  const stat = statSync(path)

  return stat.isDirectory()
    ? Math.max(0, ...readdirSync(path).map(name => newest(join(path, name))))
    : stat.mtimeMs
}

function run (title: string, command: string, args: string[]): void {
  console.error(`datanet: ${title} …`)
  const { status } = spawnSync(join(root, 'node_modules/.bin', command), args, { cwd: root, stdio: ['ignore', 2, 2] })

  if (status !== 0) {
    process.exit(status ?? 1)
  }
}

const sources = Math.max(newest(join(root, 'src')), statSync(join(root, 'tsconfig.json')).mtimeMs)
const bin = join(root, 'dist/src/cli/bin.js')
const stamp = join(root, 'dist/tsconfig.src.tsbuildinfo')

if (!existsSync(bin) || newest(stamp) < sources) {
  run('compiling', 'tsc', ['-p', 'tsconfig.src.json'])
}

const app = join(root, 'src/ui/app')

if (existsSync(app) && newest(join(root, 'dist/ui/index.html')) < newest(app)) {
  run('building the page', 'vite', ['build', '--logLevel', 'warn', app])
}
