/** How the hub is, in one process: it alone reports, and keeps the watch. Several that share the store in a test take it as on Redis. */
import type { Ledger, SourceStreams } from '../port.js'
import { FORGET_MS, type Vitals, type VitalsReport } from '../vitals.js'
import type { MemoryContext } from './context.js'

export function vitals(context: MemoryContext, store: Pick<SourceStreams, 'lag'> & Pick<Ledger, 'owners'>): Vitals {
  const reports = new Map<string, VitalsReport>()
  const notes = new Map<string, string>()
  let watch: { id: string; until: number } | undefined
  const holds = (id: string, now: number) => watch?.id === id && watch.until > now
  return {
    async report(id, json, watchMs) {
      context.checkOpen()
      const now = Date.now()
      for (const { id: other, at } of reports.values()) if (at <= now - FORGET_MS) reports.delete(other)
      reports.set(id, { id, json, firstAt: reports.get(id)?.firstAt ?? now, at: now })
      if (!watch || watch.until <= now || watch.id === id) watch = { id, until: now + watchMs }
      return { watch: watch.id === id, now, others: reports.size - 1 }
    },
    async all() {
      context.checkOpen()
      const all = [...reports.values()].map((report) => ({ ...report })).sort((a, b) => (a.id < b.id ? -1 : 1))
      return { now: Date.now(), reports: all, notes: Object.fromEntries(notes) }
    },
    async retire(id) {
      context.checkOpen()
      reports.delete(id)
      if (watch?.id === id) watch = undefined
    },
    async note(id, changes) {
      context.checkOpen()
      if (!holds(id, Date.now())) return false
      for (const [name, text] of Object.entries(changes)) {
        if (text === null) notes.delete(name)
        else notes.set(name, text)
      }
      return true
    },
    async partitions() {
      const owners = await store.owners()
      return Promise.all(context.partitions.map(async ({ number, dead, deadEver }) => ({ owner: owners[number] ?? null, lag: await store.lag(number), deadLetters: dead.length, deadLettersEver: deadEver })))
    },
    async info() {
      context.checkOpen()
      return {}
    },
  }
}
