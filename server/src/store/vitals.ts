/**
 * The port's part for how the hub is: what each process last said of itself, which one of them keeps watch, and what the watch has
 * noted. Ages are by the store's clock, for the clocks of machines differ; a process is forgotten ten minutes after its last report.
 */

/** After so long without a report a process is no longer listed; ms. */
export const FORGET_MS = 600_000

export interface VitalsReport {
  /** Of the process, unique for its life. */
  id: string
  /** As it was reported. */
  json: string
  /** ms by the store's clock. */
  firstAt: number
  at: number
}

export interface VitalsPage {
  /** ms by the store's clock. */
  now: number
  /** Sorted by id. */
  reports: VitalsReport[]
  /** What `note` wrote. */
  notes: Record<string, string>
}

export interface PartitionStanding {
  /** Whose lease runs; null: nobody's. */
  owner: string | null
  /** Source entries behind the committed positions. */
  lag: number
  deadLetters: number
  /** Ever put on the dead-letter stream, those that are gone included: it only grows, unless the store was emptied. */
  deadLettersEver: number
}

/** What the store says of itself; absent where it does not. */
export interface StoreInfo {
  version?: string
  memoryBytes?: number
  memoryLimitBytes?: number
  clients?: number
  /** Commands a second. */
  operations?: number
}

export interface Vitals {
  /**
   * Says how a process is, and takes the watch for `watchMs` if it is free or its own. One command. `watch`: it holds it now.
   * `others`: processes that are listed besides it; 0 for the first one of a hub.
   */
  report(id: string, json: string, watchMs: number): Promise<{ watch: boolean; now: number; others: number }>
  all(): Promise<VitalsPage>
  /** The process ends in order: it is listed no more, and its watch is free. */
  retire(id: string): Promise<void>
  /** Writes notes (null: removes) if the process holds the watch. False: it does not, and nothing was written. */
  note(id: string, notes: Readonly<Record<string, string | null>>): Promise<boolean>
  /** All of them, in one round trip. */
  partitions(): Promise<PartitionStanding[]>
  info(): Promise<StoreInfo>
}
