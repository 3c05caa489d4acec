import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { importSigningFile } from '../../src/node/index.ts'
import { cleanTemporary, dataDirs, OPEN, run } from './fixtures.ts'
import type { RunningNode } from './fixtures.ts'
import type { AccountView, UnbondingView, ValidatorStakeView } from '../../src/node/index.ts'

interface Stakes { validators: ValidatorStakeView[], unbonding: UnbondingView[] }

describe('stake on validators by HTTP', function () {
  this.timeout(60_000)

  let node: RunningNode

  before(async () => {
    const [dataDir] = await dataDirs(1)

    node = await run(dataDir)
  })

  after(async () => {
    await node.stop()
    await cleanTemporary()
  })

  const stakes = async (): Promise<Stakes> => node.http.get<Stakes>('/api/v1/validators')
  const refusal = async (path: string, body: unknown): Promise<string> =>
    node.http.post(path, body).then(() => 'taken', (error: { code?: string }) => error.code ?? 'no code')

  it('is bonded, unbonded, and free some epochs later', async () => {
    const [{ account: validator, yours, state }] = (await stakes()).validators

    expect(state).to.equal('working')
    await node.http.post('/api/v1/wallet/bond', { validator, amount: (5n * OPEN).toString() })
    expect(BigInt((await stakes()).validators[0].yours) - BigInt(yours)).to.equal(5n * OPEN)
    await node.http.post('/api/v1/wallet/unbond', { validator, amount: (2n * OPEN).toString() })

    const { validators: [after], unbonding: [waiting] } = await stakes()

    expect(BigInt(after.yours) - BigInt(yours)).to.equal(3n * OPEN)
    expect(waiting).to.deep.include({ validator, amount: (2n * OPEN).toString() })
    expect(await refusal('/api/v1/wallet/withdraw', {})).to.equal('ERR_NOTHING_TO_WITHDRAW')
  })

  it('makes nobody a validator twice, nor with a key of another', async () => {
    expect(await refusal('/api/v1/validators', { amount: '1' })).to.equal('ERR_VALIDATOR_EXISTS')

    const { name } = await node.http.post<AccountView>('/api/v1/wallet/accounts', { name: 'second' })
    const accounts = await node.http.get<AccountView[]>('/api/v1/wallet')
    const to = accounts.find(one => one.name === name)?.account

    await node.http.post('/api/v1/wallet/transfer', { to, amount: OPEN.toString() })
    expect(await refusal('/api/v1/validators', { as: 'second', amount: '1' })).to.equal('ERR_VALIDATOR_KEY')
  })

  it('leaves challenges to tasks that exist', async () => {
    const none = '0'.repeat(64)

    expect(await refusal(`/api/v1/tasks/${none}/challenge`, {})).to.equal('ERR_TASK_UNKNOWN')
    await expect(node.http.get(`/api/v1/tasks/${none}`)).to.eventually.be.rejected.with.property('code', 'ERR_TASK_UNKNOWN')
    await expect(node.http.get('/api/v1/tasks/nonsense')).to.eventually.be.rejected()
  })
})

describe('a signing history that is imported', () => {
  const history = (view: number, account = 'z6MkA'): unknown => ({ type: 'signing-history', version: 1, chain: 'c', genesis: '00', account, era: 1, view })
  let dataDir: string

  before(async () => { dataDir = await mkdtemp(join(tmpdir(), 'datanet-signing-')) })
  after(async () => rm(dataDir, { recursive: true, force: true }))

  const written = async (): Promise<{ view: number }> => JSON.parse(await readFile(join(dataDir, 'signing-history.json'), 'utf8'))

  it('never takes a validator back', async () => {
    await importSigningFile(dataDir, history(7))
    expect((await written()).view).to.equal(7)
    expect((await importSigningFile(dataDir, history(5))).view).to.equal(7)
    await importSigningFile(dataDir, history(9))
    expect((await written()).view).to.equal(9)
  })

  it('is of this validator, whole, and takes the place of nothing that cannot be read', async () => {
    await expect(importSigningFile(dataDir, history(99, 'z6MkB'))).to.eventually.be.rejected.with.property('code', 'ERR_CONFIG')
    await expect(importSigningFile(dataDir, { ...Object(history(99)), view: -1 })).to.eventually.be.rejected.with.property('code', 'ERR_SIGNING_HISTORY')
    await writeFile(join(dataDir, 'signing-history.json'), '{')
    await expect(importSigningFile(dataDir, history(99))).to.eventually.be.rejected.with.property('code', 'ERR_CONFIG')
    expect(await readFile(join(dataDir, 'signing-history.json'), 'utf8')).to.equal('{')
  })
})
