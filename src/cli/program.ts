import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { Command } from 'commander'
import { adapterCommand } from './command-adapter.ts'
import { contributeCommand, createCommand, withdrawCommand } from './command-data.ts'
import { govCommand } from './command-gov.ts'
import { graphCommand } from './command-graph.ts'
import { initCommand } from './command-init.ts'
import { keyCommand } from './command-key.ts'
import { lightCommand } from './command-light.ts'
import { modelCommand } from './command-model-files.ts'
import { askCommand, trainCommand } from './command-model.ts'
import { startCommand } from './command-start.ts'
import { statusCommand } from './command-status.ts'
import { taskCommand } from './command-task.ts'
import { trainingCommand } from './command-training.ts'
import { validatorCommand } from './command-validator.ts'
import { walletCommand } from './command-wallet.ts'
import { whyCommand } from './command-why.ts'
import { exitCodes } from './constants.ts'
import { defaultDataDir } from './context.ts'
import { CommandError } from './errors.ts'

/** The command line. */
export function program (): Command {
  const root = new Command('datanet')
    .description('A peer-to-peer network in which data gets credit')
    .version(version())
    .option('-d, --data-dir <folder>', 'folder of the node: keys, chain, blocks', defaultDataDir())
    .option('--json', 'print one JSON object on the last line')
    .option('-v, --verbose', 'print stack traces of errors')
    .addHelpText('after', `
Examples:
  $ datanet start --demo                 a whole network on this machine, from data to payouts
  $ datanet init && datanet start        a node of your own, with a private network of one
  $ datanet status                       what the running node knows

Exit codes: ${Object.entries(exitCodes).map(([name, code]) => `${code} ${name}`).join(', ')}
`)

  for (const command of [
    initCommand(), startCommand(), statusCommand(), createCommand(), contributeCommand(), withdrawCommand(), trainCommand(), trainingCommand(), askCommand(), adapterCommand(), modelCommand(), walletCommand(), taskCommand(), validatorCommand(),
    keyCommand(), govCommand(), whyCommand(), graphCommand(), lightCommand()
  ]) {
    root.addCommand(command)
  }

  prepare(root, root.name())

  return root
}

function version (): string {
  const path = findPackageJSON(import.meta.url)

  if (path === undefined) {
    throw new CommandError('ERR_INSTALLATION', 'expected package.json above the program\'s files, but there is none', { hint: 'install datanet again' })
  }

  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

/** What commands do not inherit: errors are thrown, and say how the command is used. */
function prepare (command: Command, path: string): void {
  command.exitOverride()
  command.showHelpAfterError(`Usage: ${path} ${command.usage()}\nSee ${path} --help for what it takes, and examples.`)

  // a word that is no command would reach the default one, which wonders about too many arguments
  command.hook('preSubcommand', (group, sub) => {
    const [word] = group.args

    if (word !== undefined && word !== sub.name() && !word.startsWith('-')) {
      group.error(`error: unknown command '${word}'`, { code: 'commander.unknownCommand' })
    }
  })

  for (const child of command.commands) {
    prepare(child, `${path} ${child.name()}`)
  }
}
