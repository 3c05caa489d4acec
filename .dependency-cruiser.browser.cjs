/**
 * What runs in browsers. Cruised without src/identity/backend.ts, because package.json's browser field puts
 * backend.browser.ts in its place.
 */
const { options } = require('./.dependency-cruiser.cjs')

module.exports = {
  forbidden: [
    {
      name: 'browser-graph',
      comment: 'The light client and the entry point run in browsers: nothing in their graph may be Node-only.',
      severity: 'error',
      from: { path: '^src/(index\\.ts|light-client/|ui/)' },
      to: { reachable: true, path: '^(node:|(fs|path|crypto|worker_threads|child_process|os|net|http)$)|node_modules/(classic-level|@chainsafe/blst|fastify)' }
    }
  ],
  options: { ...options, exclude: { path: '^src/(numeric/assembly|ui/app)/|^src/identity/backend\\.ts$' } }
}
