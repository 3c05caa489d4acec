import pc from 'picocolors'

/** Colours in a terminal only: logs and CI get plain lines, and NO_COLOR is honoured. */
export const colours = pc.createColors(process.stdout.isTTY === true && process.env.NO_COLOR == null)
