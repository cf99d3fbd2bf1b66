/**
 * The watch over the hub: one process at a time looks how all of them are, and tells what is wrong. Which one goes with the reports: the
 * lease is taken in the command that each sends anyway. Not the owner of a partition: a hub whose processors are all gone needs a watch
 * most. What it notes in the store is fenced by the lease, and what it tells has an id for each state of each alert (`book.ts`), so a watch
 * that was frozen, or dies between two steps, makes nothing told twice, and leaves nothing untold.
 */
import type { Logger } from '../../observe/log.js'
import type { Settings } from '../../settings/table.js'
import type { StoreInfo, Vitals, VitalsPage } from '../../store/port.js'
import { isoOf, toldOf } from '../overview-assembly.js'
import { entriesOf, readNote, settle, untold, type Entry } from './book.js'
import { judge, type JudgeSettings } from './judge.js'
import type { Beat } from './pulse.js'
import { tellTallies } from './tally.js'
import type { Voice } from './voice.js'
import { Waiting } from './waiting.js'

export interface WatchDeps {
  id: string
  vitals: Pick<Vitals, 'all' | 'note' | 'partitions' | 'info'>
  voice: Voice
  partitions: number
  settings: JudgeSettings & Pick<Settings, 'alertDeadMs'>
  log: Logger
}

/** At least so much between two looks for each partition, of which every look asks; ms. */
const EACH_MS = 5
const AWAY = 'tally store-unreachable'

export class Watch {
  private looking?: Promise<void>
  private lookedAt = Number.NEGATIVE_INFINITY
  private readonly waiting = new Waiting()
  private steadySince = 0
  /** What is left to tell of the store's absence. */
  private returned?: Beat['returned']
  private closed = false

  constructor(private readonly deps: WatchDeps) {}

  /** After each report. A look that takes long (the store is away) is not followed by a second one. */
  beat({ watch, steadySince, returned }: Beat): void {
    if (returned && watch) this.returned = returned
    if (!watch || steadySince !== this.steadySince) this.waiting.forget()
    this.steadySince = steadySince
    const now = performance.now()
    if (!watch || this.closed || this.looking || now - this.lookedAt < EACH_MS * this.deps.partitions) return
    this.lookedAt = now
    this.looking = this.look()
      .catch((error: unknown) => this.deps.log.warn({ err: error }, 'the watch could not look'))
      .finally(() => (this.looking = undefined))
  }

  /** Nothing more is told. */
  async close(): Promise<void> {
    this.closed = true
    await this.looking
  }

  private async look(): Promise<void> {
    const { vitals, voice, settings } = this.deps
    const [page, partitions, info] = await Promise.all([vitals.all(), vitals.partitions(), vitals.info()])
    const told = toldOf(page.reports, page.now, settings.workerMs)
    const entries = entriesOf(page.notes)
    const judgements = judge({ now: page.now, steadySince: this.steadySince, told, entries, partitions, info: info satisfies StoreInfo }, settings)
    const changes = settle(entries, this.waiting.tried(judgements, page.now), page.now)
    if (!(await this.note(Object.fromEntries(changes)))) return
    for (const [name, entry] of changes) {
      if (entry) entries.set(name, entry)
      else entries.delete(name)
    }
    for (const [name, entry] of entries) await this.tellAll(name, entry)
    const tallies = { ...(await tellTallies({ ...page, partitions, told }, voice, settings.alertDeadMs)), ...(await this.tellReturned(page)) }
    for (const [name, text] of Object.entries(tallies)) await vitals.note(this.deps.id, { [name]: text })
  }

  private async tellAll(name: string, entry: Entry): Promise<void> {
    const { alert, subject = 'hub', severity, since, component, value, limit, unit } = entry
    for (const status of untold(entry)) {
      const message = status === 'firing' ? entry.message : (entry.closing ?? entry.message)
      this.deps.log[status === 'firing' ? 'error' : 'info']({ alert, status, component, value, limit, unit, since: isoOf(since) }, message)
      const told = await this.deps.voice.tell(`alert:${alert}:${since}:${status}:${subject}`, 'system.alert', {
        alert, status, severity, message, component, value, limit, unit, since: isoOf(since),
      })
      if (!told || !(await this.note({ [name]: { ...entry, told: status } }))) return
    }
  }

  /** Told once by whoever keeps watch when it is back; another one's word about the same time counts for both. */
  private async tellReturned({ notes }: VitalsPage): Promise<Record<string, string>> {
    if (!this.returned) return {}
    const { since, until } = this.returned
    const before: { until?: number } | undefined = readNote(notes[AWAY])
    const known = (before?.until ?? 0) > since
    const told = known || (await this.deps.voice.tell(`alert:store-unreachable:${since}:resolved:${this.deps.id}`, 'system.alert', {
      alert: 'store-unreachable', status: 'resolved', severity: 'critical', component: 'store', value: until - since, unit: 'ms', since: isoOf(since),
      message: `Redis was out of reach for ${Math.round((until - since) / 100) / 10} s; what was published meanwhile waited, or was refused as UNAVAILABLE.`,
    }))
    if (!told) return {}
    this.returned = undefined
    return { [AWAY]: JSON.stringify({ until }) }
  }

  private async note(changes: Readonly<Record<string, Entry | null>>): Promise<boolean> {
    if (this.closed) return false
    if (Object.keys(changes).length === 0) return true
    return this.deps.vitals.note(this.deps.id, Object.fromEntries(Object.entries(changes).map(([name, entry]) => [name, entry && JSON.stringify(entry)])))
  }
}
