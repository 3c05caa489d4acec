import { useComputedColorScheme } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useEffect, useRef } from 'react'
import Plot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { ReactNode } from 'react'

const HEIGHT = 230

/** The loss by step, growing as the steps come. */
export function LossChart ({ losses, steps }: { losses: number[], steps: number }): ReactNode {
  const { ref: sized, width } = useElementSize<HTMLDivElement>()
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot>(undefined)
  const scheme = useComputedColorScheme('light')

  useEffect(() => {
    if (host.current == null || width === 0) {
      return
    }

    const made = new Plot(options(width, steps, scheme), [[], []], host.current)

    plot.current = made

    return () => {
      made.destroy()
      plot.current = undefined
    }
  }, [width, steps, scheme])

  useEffect(() => {
    plot.current?.setData([losses.map((_, index) => index + 1), losses])
  }, [losses, width, steps, scheme])

  return (
    <figure className='chart' role='img' aria-label={losses.length === 0 ? 'Loss curve, no step yet' : `Loss curve: from ${losses[0].toFixed(3)} to ${losses[losses.length - 1].toFixed(3)} nats per token in ${losses.length} steps`}>
      <div className='small' aria-hidden='true'>Loss by step, nats per token</div>
      <div ref={sized}><div ref={host} /></div>
    </figure>
  )
}

function options (width: number, steps: number, scheme: 'light' | 'dark'): Plot.Options {
  const text = scheme === 'dark' ? '#a9b0bd' : '#5c6470'
  const line = scheme === 'dark' ? '#8ea2ff' : '#3b5bdb'
  const grid = { stroke: scheme === 'dark' ? '#ffffff14' : '#0000000f', width: 1 }
  const axis = { stroke: text, grid, ticks: { show: false }, font: '12px system-ui, sans-serif' }

  return {
    width,
    height: HEIGHT,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { points: { size: 8 }, y: false, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: [1, Math.max(2, steps)] },
      // room above and below, so that small changes do not look like noise at the edges
      y: { range: (_plot, low, high) => low == null || high == null ? [0, 1] : [low - Math.max(0.05, (high - low) * 0.15), high + Math.max(0.05, (high - low) * 0.15)] }
    },
    axes: [
      { ...axis, size: 28, space: 60, incrs: [1, 2, 4, 8, 16, 50, 100, 500, 1000] },
      { ...axis, size: 44, space: 36, values: (_plot, ticks) => ticks.map(tick => tick.toFixed(2)) }
    ],
    series: [
      {},
      { stroke: line, width: 2.5, fill: `${line}14`, points: { show: true, size: 5, fill: line, stroke: line } }
    ]
  }
}
