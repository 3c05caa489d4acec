import pc from 'picocolors'

/** In a terminal only: logs and CI get plain lines, and NO_COLOR is honoured. */
const isColoured = ({ isTTY }: { isTTY?: boolean }): boolean => isTTY === true && (process.env.NO_COLOR ?? '') === ''

/** Colours of standard output. */
export const colours = pc.createColors(isColoured(process.stdout))

/** Colours of standard error. */
export const errorColours = pc.createColors(isColoured(process.stderr))
