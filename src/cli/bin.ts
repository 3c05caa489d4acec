#!/usr/bin/env node
import { exitCodes } from './constants.ts'

const [major] = process.versions.node.split('.').map(Number)

if (major < 24) {
  process.stderr.write(`datanet needs Node.js 24 or newer, this is ${process.versions.node}. In a clone, npm brings a newer one: use \`npm start\` or \`npx datanet\`.\n`)
  process.exit(exitCodes.usage)
}

// only now: an older version cannot even link what it imports
const { main } = await import('./main.ts')

await main()
