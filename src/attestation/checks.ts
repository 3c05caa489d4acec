import { assertRow } from '../datanets/index.ts'
import { fingerprint } from './fingerprint.ts'
import { findPersonalData } from './personal-data.ts'
import { quality } from './quality.ts'
import { RowIndex } from './row-index.ts'
import type { Fingerprint } from './fingerprint.ts'
import type { CheckResult, Contribution, DatanetManifest, Row } from '../interface/index.ts'

export interface ContributionCheckInput {
  manifest: DatanetManifest
  contribution: Contribution
  rows: AsyncIterable<Row> | Iterable<Row>
  /** rows of the contributions that this one is compared with, and maybe of others */
  index: RowIndex
  /** the contribution's place in its Datanet; its rows are added to the index under it when done */
  source: number
  /** which places of the index this contribution is compared with, besides its own earlier rows */
  earlier: ReadonlySet<number>
  /** earlier contributions that nobody gave us, so that they are missing in the index */
  unavailable?: number
}

/** Counts of bad rows are rounded up, so that a limit of 0 means none. */
const permilleUp = (count: number, total: number): number => total === 0 ? 0 : Math.ceil(count * 1000 / total)

const atMost = (name: string, measure: number, limit: number, detail: string): CheckResult =>
  ({ name, passed: measure <= limit, measure, limit, detail })

const atLeast = (name: string, measure: number, limit: number, detail: string): CheckResult =>
  ({ name, passed: measure >= limit, measure, limit, detail })

class Tally {
  readonly fingerprints: Fingerprint[] = []
  rows = 0
  misfits = 0
  firstMisfit = ''
  personal = 0
  readonly kinds = new Map<string, number>()
  quality = 0

  add (row: Row, { fields, textField }: DatanetManifest): void {
    try {
      assertRow(fields, row, this.rows)
    } catch (err) {
      this.misfits++
      if (this.firstMisfit === '' && err instanceof Error) {
        this.firstMisfit = err.message.slice(0, 300)
      }
    }
    this.rows++
    const text = String(row[textField] ?? '')
    this.fingerprints.push(fingerprint(text))
    this.quality += quality(text)
    // personal data may stand in any column
    const found = new Set(Object.values(row).flatMap(value => findPersonalData(String(value))))
    this.personal += found.size > 0 ? 1 : 0
    for (const kind of found) {
      this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1)
    }
  }
}

/** Rows that repeat an earlier contribution or an earlier row of their own. The same again when it is run again. */
function countDuplicates ({ index, source, earlier }: ContributionCheckInput, fingerprints: Fingerprint[]): { exact: number, near: number } {
  const own = new RowIndex()
  let exact = 0
  let near = 0
  for (const print of fingerprints) {
    const before = index.find(print, other => earlier.has(other))
    const found = before === 'exact' ? before : own.find(print, () => true) ?? before
    exact += found === 'exact' ? 1 : 0
    near += found === undefined ? 0 : 1
    own.add(source, print)
  }
  indexRows(index, source, fingerprints)
  return { exact, near }
}

/** Adds the rows of a contribution to an index, once. */
export function indexRows (index: RowIndex, source: number, fingerprints: Fingerprint[]): void {
  if (!index.has(source)) {
    fingerprints.forEach(print => { index.add(source, print) })
    index.complete(source)
  }
}

/**
 * Runs all checks of a contribution. All measures are integers and depend on the arguments alone,
 * so that all validators that see the same ledger come to the same verdict. See protocols/attestation.
 *
 * @returns one result per check, always the same checks in the same order
 */
export async function checkContribution (input: ContributionCheckInput): Promise<CheckResult[]> {
  const { manifest, contribution } = input
  const { admission } = manifest
  const tally = new Tally()
  for await (const row of input.rows) {
    tally.add(row, manifest)
  }
  const { rows, misfits } = tally
  const { exact, near } = countDuplicates(input, tally.fingerprints)
  const missing = (input.unavailable ?? 0) === 0 ? '' : `; ${input.unavailable} earlier contributions could not be fetched`
  const kinds = [...tally.kinds].sort(([a], [b]) => a < b ? -1 : 1).map(([kind, count]) => `${kind} in ${count} rows`).join(', ')

  return [
    atLeast('rows-min', rows, admission.rowsMin, `${rows} rows`),
    atMost('rows-max', rows, admission.rowsMax, `${rows} rows`),
    atMost('schema', misfits, 0, misfits === 0 ? 'all rows fit the fields' : `${misfits} rows do not fit; ${tally.firstMisfit}`),
    atMost('licence', contribution.licence === manifest.licence ? 0 : 1, 0, contribution.licence),
    atMost('exact-duplicates', permilleUp(exact, rows), admission.duplicatesPermilleMax, `${exact} of ${rows} rows${missing}`),
    atMost('near-duplicates', permilleUp(near, rows), admission.duplicatesPermilleMax, `${near} of ${rows} rows, exact ones included${missing}`),
    atMost('personal-data', permilleUp(tally.personal, rows), admission.piiPermilleMax, kinds === '' ? 'none found' : kinds),
    atLeast('quality', rows === 0 ? 0 : Math.floor(tally.quality / rows), admission.qualityPermilleMin, 'mean of all rows')
  ]
}

/** A check that has no measure. */
export const plainCheck = (name: string, passed: boolean, detail: string): CheckResult => ({ name, passed, measure: passed ? 0 : 1, limit: 0, detail: detail.slice(0, 480) })

/** The one check of a subject whose record or content is wrong by itself. */
export const failedCheck = (name: string, detail: string): CheckResult => plainCheck(name, false, detail)

/** Whether a record says what the ledger says of it. */
export function ledgerCheck (differences: string[]): CheckResult {
  return plainCheck('ledger', differences.length === 0, differences.length === 0 ? 'the record and the ledger agree' : `the record and the ledger differ in ${differences.join(', ')}`)
}
