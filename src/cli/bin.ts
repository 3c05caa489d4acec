#!/usr/bin/env node
import { CommanderError } from 'commander'
import { exitCodes } from './constants.ts'
import { onInterrupt } from './context.ts'
import { printError, printUsageError } from './errors-print.ts'
import { program } from './program.ts'

const [major] = process.versions.node.split('.').map(Number)

if (major < 24) {
  process.stderr.write(`datanet needs Node.js 24 or newer, this is ${process.versions.node}. In a clone, npm brings a newer one: use \`npm start\` or \`npx datanet\`.\n`)
  process.exit(exitCodes.usage)
}

onInterrupt()

const root = program()

try {
  await root.parseAsync()
} catch (err) {
  if (err instanceof CommanderError) {
    process.exitCode = printUsageError(err, { json: process.argv.includes('--json') })
  } else {
    process.exitCode = printError(err, { json: root.opts().json === true, verbose: root.opts().verbose === true })
  }
}
