/** What a scenario answers: a table, what was expected, and whether it was so. */

import type { OutsidePeer } from '../peers/peers.js'

export interface Cell {
  value: number
  /** Of the rounds, as they went. */
  rounds: readonly number[]
}

export interface Row {
  /** `fan-out, 50 subscribers` */
  what: string
  /** What is counted: `deliveries per worker CPU second`. */
  unit: string
  /** Name of the peer, and what it reached. No figure: why there is none. */
  cells: Record<string, Cell | string>
  /** Peers' titles, by name. */
  titles: Record<string, string>
  demands: Demand[]
  /** Said below the table. */
  notes?: readonly string[]
}

export interface Demand {
  /** In words: `at least 10 times stock`. */
  what: string
  /** Undefined where a figure is missing. */
  reached?: number
  /** Of `reached`. */
  least?: number
  most?: number
  unit?: string
  /** Where it falls short: why. */
  why?: string
}

export interface ScenarioContext {
  /** Rounds that count; each peer has its turn in each. */
  rounds: number
  /** Share of the full size, for a look: 1. */
  scale: number
  /** A peer from the command line, in the scenarios of one audience. */
  outside?: OutsidePeer
  say: (line: string) => void
}

export interface Scenario {
  readonly name: string
  readonly title: string
  run(context: ScenarioContext): Promise<Row[]>
}

export function holds({ reached, least, most }: Demand): boolean {
  return reached !== undefined && (least === undefined || reached >= least) && (most === undefined || reached <= most)
}
