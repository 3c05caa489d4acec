import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { accountToString, ed25519Signer } from '../../src/identity/index.ts'
import { defaultConfig, newGenesis, openKeychain, openNode, readConfig, readGenesis, SUPPLY, toJson, validatorInfo, writeConfig, writeGenesis } from '../../src/node/index.ts'
import { cidOf, genesisCodec } from '../../src/wire/index.ts'
import { cleanTemporary, OPEN, temporary } from './fixtures.ts'

after(cleanTemporary)

describe('config.json', () => {
  const wrong: Array<[string, unknown, RegExp]> = [
    ['an unknown field', { ...defaultConfig, colour: 'red' }, /colour/],
    ['an unknown role', { ...defaultConfig, roles: ['king'] }, /roles\/0/],
    ['a name that is no file name', { ...defaultConfig, account: '../main' }, /account/],
    ['a port that does not exist', { ...defaultConfig, api: { host: '127.0.0.1', port: 70_000 } }, /api\/port/],
    ['no threads', { ...defaultConfig, threads: 0 }, /threads/],
    ['no object', 7, /7/]
  ]

  for (const [what, value, message] of wrong) {
    it(`is refused with ${what}, naming the field`, async () => {
      const dataDir = await temporary()

      await writeFile(join(dataDir, 'config.json'), JSON.stringify(value))
      await expect(readConfig(dataDir)).to.eventually.be.rejectedWith(message).with.property('code', 'ERR_CONFIG')
    })
  }

  it('is read as it was written, and is not written wrong', async () => {
    const dataDir = await temporary()

    await writeConfig(dataDir, { ...defaultConfig, name: 'mine' })
    expect(await readConfig(dataDir)).to.deep.equal({ ...defaultConfig, name: 'mine' })
    await expect(writeConfig(dataDir, { ...defaultConfig, threads: 1.5 })).to.eventually.be.rejected.with.property('code', 'ERR_CONFIG')
  })

  it('has to be there, be JSON and be small', async () => {
    const dataDir = await temporary()

    await expect(openNode({ dataDir })).to.eventually.be.rejected.with.property('code', 'ERR_DATA_DIR')
    await writeFile(join(dataDir, 'config.json'), '{')
    await expect(readConfig(dataDir)).to.eventually.be.rejected.with.property('code', 'ERR_CONFIG')
    await writeFile(join(dataDir, 'config.json'), ' '.repeat(100_000))
    await expect(readConfig(dataDir)).to.eventually.be.rejected.with.property('code', 'ERR_DATA_DIR')
  })
})

describe('a keychain', () => {
  it('keeps accounts and secrets over restarts, readable by their owner alone', async () => {
    const dataDir = await temporary()
    const first = await openKeychain(dataDir)
    const { account } = await first.create('main')
    const again = await openKeychain(dataDir)

    expect(again.names()).to.deep.equal(['main'])
    expect(again.signer('main').account).to.deep.equal(account)
    expect((await again.create('main')).account).to.deep.equal(account)
    expect(again.secret('peer')).to.deep.equal(first.secret('peer'))
    expect(again.secret('peer')).to.not.deep.equal(first.secret('receipts'))
    expect(again.bls()).to.deep.equal(first.bls())
    expect((await stat(join(dataDir, 'keys'))).mode & 0o777).to.equal(0o700)

    for (const file of ['main.json', '_node.json']) {
      expect((await stat(join(dataDir, 'keys', file))).mode & 0o777).to.equal(0o600)
    }
  })

  it('takes a given seed', async () => {
    const seed = new Uint8Array(32).fill(7)
    const keychain = await openKeychain(await temporary())

    expect((await keychain.create('main', seed)).account).to.deep.equal(ed25519Signer(seed).account)
  })

  it('names the accounts that it has when one is missing, and refuses names that are none', async () => {
    const keychain = await openKeychain(await temporary())

    await keychain.create('main')
    expect(() => keychain.signer('alice')).to.throw(/main/).with.property('code', 'ERR_ACCOUNT_MISSING')

    for (const name of ['_node', '../x', 'A', '', 'x'.repeat(49)]) {
      await expect(keychain.create(name)).to.eventually.be.rejected.with.property('code', 'ERR_CONFIG')
    }
  })

  for (const [what, content] of Object.entries({ 'not JSON': '{', 'no seed': '{}', 'another length': '{"seed":"00"}', 'no digits': `{"seed":"${'zz'.repeat(32)}"}` })) {
    it(`says which file is damaged: ${what}`, async () => {
      const dataDir = await temporary()

      await mkdir(join(dataDir, 'keys'))
      await writeFile(join(dataDir, 'keys', 'main.json'), content)
      await expect(openKeychain(dataDir)).to.eventually.be.rejectedWith(/main\.json/).with.property('code', 'ERR_CONFIG')
    })
  }
})

describe('a genesis', () => {
  it('holds the whole supply and survives its file', async () => {
    const dataDir = await temporary()
    const keychain = await openKeychain(dataDir)
    const { account } = await keychain.create('main')
    const genesis = newGenesis({
      chain: 'mine',
      validators: [validatorInfo(keychain, account, OPEN)],
      balances: [{ account, amount: 5n * OPEN }],
      treasury: (await keychain.create('treasury')).account,
      bases: [],
      params: { epochBlocks: 9 }
    })

    await writeGenesis(dataDir, genesis)
    expect(await readGenesis(dataDir)).to.deep.equal(genesis)
    expect(genesis.params.epochBlocks).to.equal(9)
    expect(genesis.balances.reduce((sum, { amount }) => sum + amount, OPEN)).to.equal(SUPPLY)
    expect(genesisCodec.decode(new Uint8Array(await readFile(join(dataDir, 'genesis.cbor'))))).to.deep.equal(genesis)
  })

  it('has to be there and be one', async () => {
    const dataDir = await temporary()

    await expect(readGenesis(dataDir)).to.eventually.be.rejected.with.property('code', 'ERR_DATA_DIR')
    await writeFile(join(dataDir, 'genesis.cbor'), Uint8Array.of(1, 2, 3))
    await expect(readGenesis(dataDir)).to.eventually.be.rejected.with.property('code').that.matches(/^ERR_/)
    await writeFile(join(dataDir, 'genesis.cbor'), new Uint8Array(1024 * 1024 + 1))
    await expect(readGenesis(dataDir)).to.eventually.be.rejected.with.property('code', 'ERR_DATA_DIR')
  })
})

describe('records as JSON', () => {
  it('show amounts as decimals, CIDs and accounts as text, other bytes in hexadecimal', () => {
    const { account } = ed25519Signer(new Uint8Array(32).fill(3))
    const cid = cidOf(Uint8Array.of(1))

    expect(toJson({ amount: 2n ** 70n, cid, to: account, list: [{ hash: Uint8Array.of(10, 255) }], note: null, count: 3, flag: true })).to.deep.equal({
      amount: '1180591620717411303424', cid: cid.toString(), to: accountToString(account), list: [{ hash: '0aff' }], note: null, count: 3, flag: true
    })
  })
})
