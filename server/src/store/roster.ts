/**
 * The port's part for who is where now: members of groups, each held by a worker. It survives a worker's death only as long as
 * nobody looks: what a dead worker held does not count. Groups: `watch <project>/<topic>` (presence), `handle <project>/<command>`
 * (executors).
 */
export interface RosterChange {
  /** Joins the group on this worker, with what is to be known of it; null: leaves it here. */
  member: string
  info: string | null
}

export interface RosterEntry {
  member: string
  worker: string
  info: string
}

export interface Roster {
  /** Says that the worker lives; answers the ids of all that said so within `ttlMs`, sorted. */
  beat(worker: string, ttlMs: number): Promise<string[]>
  /** The worker ends in order: nothing of it counts from now on. */
  retire(worker: string): Promise<void>
  /** Answers who was on no living worker before and is now, and the other way round. One atomic step. */
  update(partition: number, group: string, worker: string, changes: readonly RosterChange[], alive: readonly string[]): Promise<{ joined: string[]; left: string[] }>
  list(partition: number, group: string, alive: readonly string[]): Promise<RosterEntry[]>
  /** Those of the members that are on a living worker. */
  present(partition: number, group: string, members: readonly string[], alive: readonly string[]): Promise<string[]>
  /**
   * Keeps the groups, which end an hour after nobody changed, swept or renewed them. Answers how many members each holds of the worker:
   * fewer than it knows means that the store lost them, or that the worker was taken for dead, and that they are to be written again.
   */
  renew(partition: number, groups: readonly string[], worker: string): Promise<number[]>
  /** Takes out what dead workers held; answers who is on no worker any more. Of several workers that sweep, one is answered. */
  sweep(partition: number, group: string, alive: readonly string[]): Promise<string[]>
}
