/** The engine's kernels; `Kernels` in ../interface.ts says what each does. */
export { gemm, packColumns } from './gemm'
export { add, allFinite, exp, gather, gelu, geluBend, geluSlope, log, mul, rope, scale, scatter, sigmoid, sigmoidBend, sigmoidSlope } from './elementwise'
export { addRow, centre, columnDot, columnScale, columnSum, crossEntropy, inverseRms, rowDot, rowScale, rowSubtract, softmax } from './rows'
export { useStatics } from './statics'
export { attendPages, gemmMany, writePages } from './paged'
export { packWeights } from './weights-layout'
export { gatherWeights, multiplyWeights, multiplyWeightsBack } from './weights'
export { share } from './share'
