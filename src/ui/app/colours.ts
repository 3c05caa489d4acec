/**
 * Hues that stay apart for most eyes, in an order that puts near ones far from each other. They are
 * shown as lines, dots and tints below text, never as the text itself.
 */
const palette = ['#2f7ed8', '#e0792b', '#2a9d6e', '#c2477f', '#7c5cd6', '#b8920a', '#1a98a6', '#d64b45', '#6b8e23', '#8a6d4f', '#5b7fa6', '#a04fc4']

/** Colours of the four parts of a fee. */
export const partColours = { platform: '#7d8796', developers: '#7c5cd6', validators: '#1a98a6', data: '#e0792b' } as const

/** Colour of each contribution by its place on the ledger, so that it is the same in every room. */
export function contributionColours (contributions: Array<{ contribution: string }>): (contribution: string) => string {
  const places = new Map(contributions.map(({ contribution }, index) => [contribution, index]))

  return contribution => palette[(places.get(contribution) ?? hash(contribution)) % palette.length]
}

function hash (text: string): number {
  return Array.from(text).reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) >>> 0, 7)
}
