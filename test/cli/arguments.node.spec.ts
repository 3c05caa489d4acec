import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { CommanderError } from 'commander'
import { exitCodes, program } from '../../src/cli/index.ts'
import { cleanTemporary, datanet, lastJson, needBuilt, temporary } from './run.ts'
import type { Command } from 'commander'

interface Failure { error: { code: string, message: string, hint?: string } }

const VERBS = [
  'init', 'start', 'status', 'create', 'contribute', 'withdraw', 'train', 'ask', 'why', 'graph',
  'adapter', 'adapter list', 'adapter search', 'adapter show', 'adapter pull', 'adapter export', 'adapter import', 'adapter publish', 'adapter merge', 'adapter deprecate',
  'model', 'model import', 'model show',
  'key', 'key create', 'key list', 'key revoke',
  'wallet', 'wallet list', 'wallet new', 'wallet transfer', 'wallet stake', 'wallet unstake',
  'gov', 'gov list', 'gov wrap', 'gov unwrap', 'gov delegate', 'gov propose', 'gov vote', 'gov queue', 'gov execute',
  'training', 'training list', 'training show', 'training cancel',
  'task', 'task list', 'task show', 'task challenge',
  'validator', 'validator list', 'validator register', 'validator bond', 'validator unbond', 'validator withdraw', 'validator history',
  'light', 'light follow', 'light account', 'light why', 'light header', 'light epoch', 'light outcome'
]

/** What is wrong before any node is asked. */
const WRONG: Array<[string, string[], RegExp]> = [
  ['an unknown option', ['status', '--nope'], /unknown option '--nope'/],
  ['an unknown command', ['bargain'], /unknown command 'bargain'/],
  ['an unknown sub-command', ['wallet', 'bargain'], /unknown command 'bargain'/],
  ['an argument too many', ['wallet', 'list', 'bargain'], /too many arguments/],
  ['a missing argument', ['ask', 'notes'], /missing required argument 'prompt'/],
  ['a missing option', ['create', 'notes'], /required option '--title <text>'/],
  ['a proposal of nothing', ['gov', 'propose', 'Nothing'], /required option '--set <name=value>'/],
  ['an amount that is none', ['wallet', 'transfer', 'treasury', 'much'], /amount of OPEN such as 12 or 0\.5/],
  ['a negative amount', ['wallet', 'stake', '--', '-5'], /amount of OPEN such as 12 or 0\.5/],
  ['an amount of nothing', ['gov', 'wrap', '0'], /more than 0/],
  ['an amount finer than a base unit', ['gov', 'wrap', '0.0000000000000000001'], /at most 18 decimals/],
  ['steps that are no number', ['train', 'notes', '--name', 'n', '--steps', 'x'], /whole number from 1/],
  ['a preset that there is not', ['train', 'notes', '--name', 'n', '--preset', 'x'], /quick, careful/],
  ['a training that is not named', ['training', 'cancel'], /missing required argument 'training'/],
  ['a vote that is none', ['gov', 'vote', '0', 'maybe'], /for, against, abstain/],
  ['a proposal without number', ['gov', 'vote', 'x', 'for'], /whole number from 0/],
  ['a contribution that is no CID', ['why', 'nonsense'], /Expected a CID/],
  ['a task that is no hash', ['light', 'why', 'bafyreicojudmx7wgvwrakplttos4hy225w4j4nsprn5wahobgizb4baury', '--task', 'x'], /64 hexadecimal digits/],
  ['a height that is none', ['light', 'header', '-1'], /unknown option '-1'|whole number from 0/],
  ['an epoch that is none', ['light', 'epoch', 'first'], /whole number from 0/],
  ['an account that is none', ['light', 'account', 'foo'], /Expected an account/],
  ['a port that is none', ['init', '--api-port', '70000'], /whole number from 0 to 65535/],
  ['a role that there is not', ['init', '--role', 'king'], /validator, assessor, gateway, contributor/],
  ['a name that is none', ['init', '--name', 'My Node'], /lower-case letters/]
]

interface Parsed { failure: CommanderError, out: string, error: string }

/** Parses a command line that never comes to run. */
async function parse (...args: string[]): Promise<Parsed> {
  const root = program()
  let out = ''
  let error = ''

  const listen = (command: Command): void => {
    command.configureOutput({ writeOut: text => { out += text }, writeErr: text => { error += text } })
    command.commands.forEach(listen)
  }

  listen(root)

  try {
    await root.parseAsync(args, { from: 'user' })
  } catch (err) {
    if (err instanceof CommanderError) {
      return { failure: err, out, error }
    }

    throw err
  }

  return expect.fail('the arguments were taken')
}

describe('the command line', function () {
  this.timeout(120_000)

  let dataDir: string

  before(async () => {
    needBuilt()
    dataDir = await temporary()
  })

  after(cleanTemporary)

  for (const verb of VERBS) {
    it(`explains ${verb} with an example`, async () => {
      const { failure, out } = await parse(...verb.split(' '), '--help')

      expect(failure.exitCode).to.equal(0)
      expect(out).to.match(/^Usage: datanet .*\n\n\S.{5,}/)
      expect(out).to.match(new RegExp(`Examples:\\n(  \\$ .*\\n)*  \\$ datanet .*${verb}`))
    })
  }

  it('has these commands and no others', () => {
    const names = program().commands.flatMap(verb => [verb.name(), ...verb.commands.map(child => `${verb.name()} ${child.name()}`)])

    expect(names).to.have.members(VERBS)
  })

  for (const [what, args, message] of WRONG) {
    it(`refuses ${what}, saying how it is used`, async () => {
      const { failure, error } = await parse(...args)

      expect(failure.exitCode).to.not.equal(0)
      expect(error).to.match(message)
      expect(error).to.match(/Usage: datanet .*\nSee datanet .*--help/)
    })
  }

  it('ends with exit code 2 if the arguments are wrong, with JSON if that was asked for', async () => {
    const ended = await datanet('--data-dir', dataDir, 'wallet', 'stake', 'much', '--json')

    expect(ended.code, ended.all).to.equal(exitCodes.usage)
    expect(ended.stderr).to.include('See datanet wallet stake --help')
    expect(lastJson<Failure>(ended).error.code).to.equal('ERR_USAGE')
    expect(await readdir(dataDir)).to.be.empty()
  })

  it('says with exit code 3 that no node runs, and how to start one', async () => {
    for (const args of [['status'], ['gov', 'vote', '0', 'for']]) {
      const ended = await datanet('--data-dir', dataDir, '--json', ...args)

      expect(ended.code, ended.all).to.equal(3)
      expect(lastJson<Failure>(ended).error).to.include({ code: 'ERR_NODE_UNREACHABLE' })
      expect(lastJson<Failure>(ended).error.hint).to.include('datanet start')
    }
  })

  it('says that a data directory is none', async () => {
    for (const verb of ['start', 'light']) {
      const { code, stderr } = await datanet('--data-dir', dataDir, verb)

      expect(code, stderr).to.equal(1)
      expect(stderr).to.match(/hint +run `datanet init`/)
      expect(stderr).to.not.match(/\n +at /)
    }
  })

  it('makes a data directory once, and tells the next step', async () => {
    const home = join(await temporary(), 'home')
    const first = await datanet('--data-dir', home, 'init', '--api-port', '0')
    const second = await datanet('--data-dir', home, '--json', 'init')

    expect(first.code, first.all).to.equal(0)
    expect(first.stdout).to.include(`start it with: datanet --data-dir ${home} start`)
    expect(second.code).to.equal(1)
    expect(lastJson<Failure>(second).error).to.include({ code: 'ERR_EXISTS' })

    const light = await datanet('--data-dir', home, '--json', 'light', 'follow', '--blocks', '1')

    expect(light.code, light.all).to.equal(3)
    expect(lastJson<Failure>(light).error).to.include({ code: 'ERR_NO_PEER' })
  })
})
