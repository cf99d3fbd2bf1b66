/** Which faults are active, which were until just now, and what they add up to. Times are ms since the run began. */
import { FAULT_KINDS, type FaultKind } from './observer.js'

/** What a fault leaves behind, reconnects and backlogs, is still its doing for so long; ms. */
export const AFTERMATH_MS = 10_000

interface Fault {
  kind: FaultKind
  what: string
  beganMs: number
  endedMs: number
}

export class Faults {
  /** One bit for each kind that is active, in the order of `FAULT_KINDS`. */
  mask = 0
  private readonly all: Fault[] = []
  /** Those that are active, or ended within the aftermath. */
  private recent: Fault[] = []

  begin(kind: FaultKind, what: string, atMs: number): number {
    const fault = { kind, what, beganMs: atMs, endedMs: Infinity }
    this.recent.push(fault)
    this.remask()
    return this.all.push(fault) - 1
  }

  end(number: number, atMs: number): Fault | undefined {
    const fault = this.all[number]
    if (!fault || fault.endedMs !== Infinity) return undefined
    fault.endedMs = atMs
    this.remask()
    return fault
  }

  /** In words: active, or just ended. */
  around(atMs: number): string[] {
    this.forget(atMs)
    return this.recent.map(({ kind, what }) => `${kind} ${what}`)
  }

  /** Something else than a slow client may hold up deliveries. */
  isDisturbed(atMs: number): boolean {
    this.forget(atMs)
    return this.recent.some(({ kind }) => kind !== 'slow-client')
  }

  /** Those who are slow themselves, or catch up after they were. */
  slow(atMs: number): ReadonlySet<string> {
    this.forget(atMs)
    return new Set(this.recent.flatMap(({ kind, what }) => (kind === 'slow-client' ? what.split(',').map((name) => name.trim()) : [])))
  }

  get isAnyoneSlow(): boolean {
    return (this.mask & (1 << FAULT_KINDS.indexOf('slow-client'))) !== 0
  }

  /** Count and seconds of each kind, those of active faults up to now. */
  totals(atMs: number): Record<FaultKind, { count: number; seconds: number }> {
    const totals = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, { count: 0, seconds: 0 }])) as Record<FaultKind, { count: number; seconds: number }>
    for (const { kind, beganMs, endedMs } of this.all) {
      totals[kind].count++
      totals[kind].seconds += (Math.min(endedMs, atMs) - beganMs) / 1000
    }
    return totals
  }

  private forget(atMs: number): void {
    if (this.recent.some(({ endedMs }) => atMs - endedMs > AFTERMATH_MS)) this.recent = this.recent.filter(({ endedMs }) => atMs - endedMs <= AFTERMATH_MS)
  }

  private remask(): void {
    this.mask = 0
    for (const { kind, endedMs } of this.recent) if (endedMs === Infinity) this.mask |= 1 << FAULT_KINDS.indexOf(kind)
  }
}
