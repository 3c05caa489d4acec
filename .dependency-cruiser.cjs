/**
 * The layers of ARCHITECTURE.md. A module imports from its own layer's allowed neighbours and from below,
 * always through index.ts; nothing imports upward; nothing is circular, types included.
 */
const layers = [
  ['interface', 'utils'],
  ['wire', 'identity', 'numeric', 'client'],
  ['models', 'grammar', 'retrieval', 'inference', 'attribution', 'scoring', 'ledger', 'governance', 'consensus'],
  ['storage', 'gossip', 'datanets', 'attestation', 'training', 'serving', 'assessment', 'settlement'],
  ['node', 'light-client'],
  ['api', 'demo', 'cli', 'ui']
]

const upward = layers.slice(0, -1).map((modules, index) => ({
  name: `layer-${index}-imports-upward`,
  comment: `Layer ${index} (${modules.join(', ')}) may not know the layers above it.`,
  severity: 'error',
  from: { path: `^src/(${modules.join('|')})/` },
  to: { path: `^src/(${layers.slice(index + 1).flat().join('|')})/` }
}))

module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'no-circular',
      comment: 'A cycle means that two files are one thing, or that a type lives in the wrong room.',
      severity: 'error',
      from: {},
      to: { circular: true }
    },
    {
      name: 'through-index',
      comment: 'Across modules only through index.ts.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/([^/]+)/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] }
    },
    {
      name: 'no-own-index',
      comment: 'A file that imports its own index.ts closes a cycle sooner or later.',
      severity: 'error',
      from: { path: '^src/([^/]+)/(?!index\\.ts$)' },
      to: { path: '^src/$1/index\\.ts$' }
    },
    {
      name: 'pure-layers',
      comment: 'Layers 0 to 2 compute what peers agree on: no host, no network, no disk.',
      severity: 'error',
      from: { path: `^src/(${[...layers[0], ...layers[2], 'wire', 'numeric'].join('|')})/` },
      to: { path: '^node:|node_modules/(libp2p|@libp2p|helia|@helia|level|abstract-level|classic-level|fastify)', dependencyTypesNot: ['type-only'] }
    },
    {
      name: 'pure-layers-core',
      comment: 'The same for Node built-ins, which the cruiser names without a scheme.',
      severity: 'error',
      from: { path: `^src/(${[...layers[0], ...layers[2], 'wire', 'numeric'].join('|')})/` },
      to: { dependencyTypes: ['core'] }
    },
    {
      name: 'client-alone',
      comment: 'Who asks a node loads nothing of it: the client may have libraries of Node.js, and errors.',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { path: '^src/(?!client/|interface/|utils/)|^node_modules/', dependencyTypesNot: ['type-only'] }
    },
    {
      name: 'cli-starts-quickly',
      comment: 'Help and verbs that ask a running node wait for nothing of a node: what needs more is in run-*.ts, imported when it runs.',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: '^src/cli/run-' },
      to: { path: '^src/(?!cli/(?!run-)|client/|interface/|utils/)|node_modules/(?!(commander|cli-table3|picocolors|multiformats)/)', dynamic: false, dependencyTypesNot: ['type-only'] }
    },
    {
      name: 'not-in-package',
      comment: 'What src imports at run time is a dependency, not a development dependency.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/ui/app/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only', 'npm'] }
    },
    {
      name: 'resolvable',
      comment: 'Every import exists.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true }
    }
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/(numeric/assembly|ui/app)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'], extensions: ['.ts', '.js', '.json'] }
  }
}
