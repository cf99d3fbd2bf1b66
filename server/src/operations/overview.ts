/**
 * How the whole hub is, for operators: what every process last said of itself, and what the store says. Put together at most once a second
 * a worker, however many ask; with the store away it is what was known last, and says so.
 */
import { HubError, type Overview, type StoreVitals } from '@hubbub/protocol'
import type { Identity } from '../access/identity.js'
import { isOperator } from '../access/permissions.js'
import type { Logger } from '../observe/log.js'
import { encodeRecord, type ProcessRecord } from '../observe/vitals-record.js'
import type { Settings } from '../settings/table.js'
import type { Store, StoreInfo } from '../store/port.js'
import { assemble, isoOf, type Findings } from './overview-assembly.js'

export interface OverviewDeps {
  store: Pick<Store, 'kind' | 'partitions' | 'ping' | 'vitals'>
  /** This process, as it was when it last looked at itself. */
  own: () => { id: string; record: ProcessRecord } | undefined
  settings: Pick<Settings, 'workerMs'>
  log: Logger
}

/** Between two looks, ms; `each`: at least so much for each partition, of which every look asks. */
const LOOK_MS = { least: 1000, each: 5 }
const INFO_MS = 2000
/** A store that answers later is as good as away. */
const ANSWER_MS = 2000

export class OverviewDesk {
  private made?: { at: number; overview: Promise<Overview> }
  private info?: { at: number; info: StoreInfo }
  /** What was found last, and when by the monotonic clock. */
  private known?: { findings: Findings; at: number }

  constructor(private readonly deps: OverviewDeps) {}

  /** Rejects with INSUFFICIENT_PERMISSIONS for anybody but an admin of every project (I6). */
  async overview(identity: Identity): Promise<Overview> {
    if (!isOperator(identity)) throw new HubError('INSUFFICIENT_PERMISSIONS', 'The overview is of all projects.', { needed: 'admin of every project' })
    const now = performance.now()
    if (!this.made || now - this.made.at >= Math.max(LOOK_MS.least, LOOK_MS.each * this.deps.store.partitions)) this.made = { at: now, overview: this.make() }
    return this.made.overview
  }

  /** Never rejects. */
  private async make(): Promise<Overview> {
    const { store, settings, log } = this.deps
    try {
      const { pingMs, ...findings } = await within(this.look())
      this.known = { findings, at: performance.now() }
      return assemble(findings, findings.now, settings.workerMs, { kind: store.kind, pingMs, ...present(findings.info) })
    } catch (error) {
      log.debug({ err: error }, 'no overview of the store')
      return this.fromMemory({ kind: store.kind, pingMs: null })
    }
  }

  private async look(): Promise<Findings & { pingMs: number }> {
    const { ping, vitals } = this.deps.store
    // Asked for in one turn, they travel together.
    const [pingMs, page, partitions, info] = await Promise.all([ping(), vitals.all(), vitals.partitions(), this.recentInfo()])
    return { pingMs, ...page, partitions, info }
  }

  private async recentInfo(): Promise<StoreInfo> {
    const at = performance.now()
    if (this.info && at - this.info.at < INFO_MS) return this.info.info
    const info = await this.deps.store.vitals.info()
    this.info = { at, info }
    return info
  }

  /** This process as it is, the others as they were. Whether they go on nobody knows; those that went on for long without a word are silent. */
  private fromMemory(store: StoreVitals): Overview {
    const { own, settings } = this.deps
    const self = own()
    const { findings, at = 0 } = this.known ?? {}
    // On by the store's clock, by which the reports' ages count.
    const now = findings ? findings.now + performance.now() - at : Date.now()
    const { reports = [], partitions = [], notes = {} } = findings ?? {}
    const others = reports.filter(({ id }) => id !== self?.id)
    const first = reports.find(({ id }) => id === self?.id)?.firstAt ?? now
    const mine = self ? [{ id: self.id, json: encodeRecord(self.record), firstAt: first, at: now }] : []
    const all = [...others, ...mine].sort((a, b) => (a.id < b.id ? -1 : 1))
    const overview = assemble({ now, reports: all, notes, partitions, info: {} }, now, settings.workerMs, store)
    return findings ? { ...overview, knownAt: isoOf(findings.now) } : overview
  }
}

/** Of INFO: only what it said. */
function present(info: StoreInfo): StoreInfo {
  return Object.fromEntries(Object.entries(info).filter(([, value]) => value !== undefined))
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS)
  })
  work.catch(() => undefined)
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
