import aegir from 'aegir/eslint.config.js'

/** Layers 0 to 2: what peers must agree on is computed here, so nothing may differ between machines or runs. */
const pure = ['interface', 'utils', 'wire', 'numeric', 'models', 'grammar', 'retrieval', 'attribution', 'scoring', 'ledger', 'governance', 'consensus']
  .map(name => `src/${name}/**/*.ts`)

const banned = (object, properties, message) => properties.map(property => ({ object, property, message }))

export default [
  { ignores: ['dist/**', 'node_modules/**', 'src/wire/pb/**', 'src/**/generated/**', 'src/numeric/assembly/**', '.data/**'] },
  ...aegir,
  {
    // programs for the terminal: they print, and show their calls indented
    files: ['tools/**/*.ts', 'test/bench/**/*.ts', 'examples/**/*.ts'],
    rules: { 'no-console': 'off', 'jsdoc/check-indentation': 'off' }
  },
  {
    files: pure,
    rules: {
      'no-restricted-globals': ['error',
        ...['Date', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'crypto', 'process', 'navigator']
          .map(name => ({ name, message: 'Pure layers see no clock, timers, randomness, network or host: take it as an argument.' }))
      ],
      'no-restricted-properties': ['error',
        ...banned('Math',
          ['exp', 'expm1', 'pow', 'log', 'log1p', 'log2', 'log10', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'atan2', 'sinh', 'cosh', 'tanh', 'asinh', 'acosh', 'atanh', 'cbrt', 'hypot', 'random'],
          'Differs between engines. Use src/numeric, which is the same bits everywhere.'),
        ...banned('globalThis', ['Date', 'performance', 'setTimeout', 'setInterval', 'crypto', 'fetch'],
          'Pure layers see no clock, timers, randomness, network or host.')
      ],
      'no-restricted-syntax': ['error', {
        selector: "BinaryExpression[operator='**']:not([left.type='Literal'][left.bigint])",
        message: 'Floating-point ** is Math.pow. Multiply, or use bigint.'
      }]
    }
  }
]
