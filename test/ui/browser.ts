import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'

export const root = packageRoot(import.meta.dirname)

/** Chromium of the machine, or undefined if there is none. */
export function chromiumPath (): string | undefined {
  return [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(path => path != null && existsSync(path))
}

export async function launch (executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  })
}

/** The page is built if its sources are newer than what was built, as `npm start` does. */
export function buildPage (): void {
  const app = join(root, 'src/ui/app')

  if (newest(join(root, 'dist/ui/index.html')) < newest(app)) {
    const { status, stderr } = spawnSync(join(root, 'node_modules/.bin/vite'), ['build', '--logLevel', 'warn', app], { cwd: root, encoding: 'utf8' })

    if (status !== 0) {
      throw new EvalError(`vite could not build the page: ${stderr}`)
    }
  }
}

/** The rules of axe, if they are installed. */
export function axeSource (): string | undefined {
  try {
    return readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  } catch {
    return undefined
  }
}

function newest (path: string): number {
  if (!existsSync(path)) {
    return 0
  }

  const stat = statSync(path)

  return stat.isDirectory() ? Math.max(0, ...readdirSync(path).map(name => newest(join(path, name)))) : stat.mtimeMs
}

function packageRoot (from: string): string {
  return existsSync(join(from, 'package.json')) ? from : packageRoot(dirname(from))
}
