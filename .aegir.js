/** @type {import('aegir').PartialOptions} */
export default {
  build: { bundle: false },
  docs: { publish: false },
  test: { timeout: 120000 },
  dependencyCheck: {
    // loaded by name or by path, not by import
    ignore: ['assemblyscript', 'aegir', '@redocly/cli', '@ipld/schema', 'dependency-cruiser', '@datanet/node-runtime', '@types/*', 'vite']
  }
}
