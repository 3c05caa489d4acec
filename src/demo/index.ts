/**
 * The main job on a swarm of processes on one machine: what `npm start` runs.
 *
 * @example
 * ```ts
 * await runDemo({ dataDir: '/tmp/demo', json: false, once: true, signal })
 * ```
 */
export { runDemo } from './demo.ts'
export { openJournal } from './journal.ts'
export { vote } from './steps-vote.ts'
export { swarm } from './swarm.ts'
export type { DemoOptions } from './demo.ts'
export type { DemoResult } from './report.ts'
export type { StepContext } from './step-context.ts'
export type { Swarm, SwarmProcess } from './swarm.ts'
