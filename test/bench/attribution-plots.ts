const WIDTH = 560
const LEFT = 130
const COLOUR = '#2f6f9f'
const GREY = '#888'

const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;')
const text = (x: number, y: number, content: string, anchor = 'start'): string => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escape(content)}</text>`
const line = (x1: number, y1: number, x2: number, y2: number, colour = GREY, dashes = ''): string => `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${colour}"${dashes === '' ? '' : ` stroke-dasharray="${dashes}"`}/>`

function svg (title: string, height: number, parts: string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="sans-serif" font-size="12"><title>${escape(title)}</title><rect width="100%" height="100%" fill="#fff"/>${text(8, 18, title)}${parts.join('')}</svg>\n`
}

/** Bars from zero with intervals; `goal` is a dashed line. */
export function barPlot (title: string, bars: Array<{ label: string, value: number, low: number, high: number }>, goal: number): string {
  const low = Math.min(0, ...bars.map(bar => bar.low))
  const at = (value: number): number => LEFT + (value - low) / (1 - low) * (WIDTH - LEFT - 20)
  const height = 50 + 26 * bars.length
  const parts = bars.flatMap(({ label, value, ...bounds }, i) => {
    const y = 32 + 26 * i

    return [
      text(LEFT - 8, y + 13, label, 'end'),
      `<rect x="${Math.min(at(0), at(value)).toFixed(1)}" y="${y}" width="${Math.abs(at(value) - at(0)).toFixed(1)}" height="18" fill="${COLOUR}"/>`,
      line(at(bounds.low), y + 9, at(bounds.high), y + 9, '#000')
    ]
  })
  const axis = [0, 0.25, 0.5, 0.75, 1].flatMap(tick => [line(at(tick), 28, at(tick), height - 18, '#ddd'), text(at(tick), height - 5, String(tick), 'middle')])

  return svg(title, height, [...axis, ...parts, line(at(goal), 28, at(goal), height - 18, '#c00', '4 3')])
}

/** Points with the diagonal on which forecast and outcome agree. */
export function scatterPlot (title: string, points: Array<{ x: number, y: number }>, xLabel: string, yLabel: string): string {
  const size = 1.05 * Math.max(1e-9, ...points.flatMap(({ x, y }) => [Math.abs(x), Math.abs(y)]))
  const [top, bottom, left, right] = [30, 380, 90, 440]
  const atX = (value: number): number => (left + right) / 2 + value / size * (right - left) / 2
  const atY = (value: number): number => (top + bottom) / 2 - value / size * (bottom - top) / 2
  const dots = points.map(({ x, y }) => `<circle cx="${atX(x).toFixed(1)}" cy="${atY(y).toFixed(1)}" r="2.2" fill="${COLOUR}" fill-opacity="0.5"/>`)
  const ticks = [-size, 0, size].flatMap(tick => [text(atX(tick), bottom + 16, tick.toPrecision(2), 'middle'), text(left - 6, atY(tick) + 4, tick.toPrecision(2), 'end')])

  return svg(title, 420, [line(left, bottom, right, top, '#c00', '4 3'), line(left, top, left, bottom), line(left, bottom, right, bottom), ...dots, ...ticks, text(265, 412, xLabel, 'middle'), `<text transform="translate(16 205) rotate(-90)" text-anchor="middle">${escape(yLabel)}</text>`])
}
