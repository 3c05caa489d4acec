/** What print-golden.ts prints. A change here changes every adapter's CID and every score: bump the engine's version. */
export const expected = {
  gemm: 'da2c8644a57f3d00962cac07ba628ff51e35536d9b65c916813c26ad62313ca2',
  vectorMaths: '24c599fee0e2fd2d33982cd21d4d37815838164c07d158a1963a2e826fc414a0',
  scalarMaths: '0869a297b050023bb1d9e0c060f91c585dfcb4b0963d99ded0d3dfe97faecade',
  attention: '169b405e3ee3f19259b229e9e48ff4a87398504010397a597522d14288815f40',
  crossEntropy: 'a89544fa24c6e5731fa0bdc13dec4a5576adaa08022580e0f1a58707c68b54e3',
  gradient: 'e8f8d8d801ad5d0ef81b40121c4a815853bc1fb85a4882a0b036c228fa66d405',
  hessianVectorProduct: 'c8fd6ee3d2a9ee5f293be0a5c6d0f42a1cddb5a225f28fdf3c2063f69da82443',
  weights: 'a7581f02dd3327899073dcf1f255a99d908093991ff442420a557133d3fe4a54',
  roundedProducts: '507e0972cd38e20b74026bc2f3b6f1d06c1dedbf9c84b6a0300f2e68e0b33bdd',
  secondFamily: 'a104ba4d62660dd6d9926e0afa17c61d5c3dbe4c2b19b0b34a01dee98fc53e18',
  prng: '25ed1e3288b1fa412e87c60df098b2f662f5dd82b410794871d44be527b08aa5',
  bfloat16: 'f86a8b4b1fb22ca57e892fe1239fd8aad8558e0678d5899a83542666c95a30b5'
}
