export type FileFormat = 'jsonl' | 'csv' | 'parquet' | 'text'

const endings: Record<string, FileFormat | undefined> = { csv: 'csv', parquet: 'parquet', jsonl: 'jsonl', ndjson: 'jsonl' }

export function formatOf (name: string): FileFormat {
  return endings[name.toLowerCase().split('.').at(-1) ?? ''] ?? 'text'
}

/** `annual_report-2020.txt` → `Annual report 2020` */
export function titleOf (name: string): string {
  const words = name.replace(/\.[^.]+$/, '').replace(/[_-]+/g, ' ').trim()

  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`.slice(0, 120)
}

/** Lines of `name = value`; whole numbers become numbers. Undefined if there is none. */
export function constantsOf (text: string): Record<string, string | number> | undefined {
  const entries = text.split('\n')
    .map(line => /^\s*([^=]+?)\s*=\s*(.*?)\s*$/.exec(line))
    .flatMap(match => match == null ? [] : [[match[1], /^-?\d{1,15}$/.test(match[2]) ? Number(match[2]) : match[2]] as const])

  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** A name that the ledger takes, out of a title. */
export function slug (title: string): string {
  return title.toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 64)
}
