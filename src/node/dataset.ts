import type { Datanets } from '../datanets/index.ts'
import type { TrainingComponents } from '../training/index.ts'

/** The texts of contributions as training sees them: the text field of their Datanet, row by row. */
export function dataset (datanets: Pick<Datanets, 'record' | 'manifest' | 'rows'>): TrainingComponents['dataset'] {
  return {
    async * texts (contribution, options) {
      const { payload } = await datanets.record(contribution, options)
      const { textField } = await datanets.manifest(payload.datanet, options)

      for await (const row of datanets.rows(contribution, options)) {
        const text = row[textField]

        if (typeof text === 'string') {
          yield text
        }
      }
    }
  }
}
