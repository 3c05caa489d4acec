/**
 * `node tools/openapi.ts` writes protocols/http/openapi.yaml from the schema of a real server. With
 * `--check` it says whether the file differs and exits with 1 if it does.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { api, client } from '../src/api/index.ts'
import { defaultConfig, newGenesis, openKeychain, openNode, shippedBase, validatorInfo, writeConfig, writeGenesis } from '../src/node/index.ts'

/** The document of a node that is composed, but not started: routes are all that counts. */
async function openapiDocument (): Promise<unknown> {
  const dataDir = await mkdtemp(join(tmpdir(), 'datanet-openapi-'))

  try {
    const keychain = await openKeychain(dataDir)
    const { account } = await keychain.create(defaultConfig.account)
    const { cid: base } = await shippedBase()

    await writeConfig(dataDir, defaultConfig)
    await writeGenesis(dataDir, newGenesis({
      chain: 'openapi', validators: [validatorInfo(keychain, account, 1n)], balances: [], treasury: account, bases: [{ base, developer: account }]
    }))

    const token = 'openapi'
    const server = api({ host: '127.0.0.1', port: 0, token })(await openNode({ dataDir }))

    await server.start()

    return await client({ url: server.url, token }).get('/api/v1/openapi.json').finally(async () => server.stop())
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** JSON as YAML in blocks: texts quoted as in JSON, empty collections in one line. */
function yaml (value: unknown, indent = ''): string {
  const isObject = (one: unknown): one is object => typeof one === 'object' && one !== null && Object.keys(one).length > 0

  if (!isObject(value)) {
    return ` ${JSON.stringify(value)}\n`
  }

  const lines = Array.isArray(value)
    ? value.map(item => `${indent}-${isObject(item) ? yaml(item, `${indent}  `) : yaml(item)}`)
    : Object.entries(value).filter(([, item]) => item !== undefined).map(([key, item]) => `${indent}${/^[A-Za-z_][\w.-]*$/.test(key) ? key : JSON.stringify(key)}:${yaml(item, `${indent}  `)}`)

  return `\n${lines.join('')}`
}

const path = new URL('../protocols/http/openapi.yaml', import.meta.url)
const text = `# made by tools/openapi.ts from the running server: edit src/api instead${yaml(await openapiDocument())}`

if (!process.argv.includes('--check')) {
  await writeFile(path, text)
} else if (await readFile(path, 'utf8').catch(() => '') !== text) {
  process.stdout.write(`${path.pathname} is not what tools/openapi.ts makes\n`)
  process.exitCode = 1
}
