import type { OwnOptions } from './interface.ts'

/** What `npm run bench -- <area> --help` prints. */
export function usage (areas: string[], area?: string, options: OwnOptions = {}): string {
  const own = Object.entries(options).map(([name, { help, value = 'VALUE' }]) => line(`--${name} ${value}`, help ?? ''))
  const first = Object.entries(options).at(0)

  return [
    `usage: npm run bench -- ${area ?? '<area>'} [options]`,
    '',
    ...area === undefined ? [`areas: ${areas.join(', ')}`, ''] : [],
    line('--quick', 'a smaller measurement, about 40 s on an idle machine'),
    line('--json', 'one JSON object as the last line'),
    line('--help', 'this text'),
    ...own,
    '',
    'examples:',
    `  npm run bench -- ${area ?? areas[0]} --quick`,
    `  npm run bench -- ${area ?? areas[0]} --json`,
    ...first === undefined ? [] : [`  npm run bench -- ${area ?? areas[0]} --${first[0]} ${first[1].value?.split('|')[0] ?? 'VALUE'}`],
    ''
  ].join('\n')
}

function line (option: string, help: string): string {
  return `  ${option.padEnd(38)}${help}`.trimEnd()
}
