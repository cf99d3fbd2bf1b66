/**
 * What is revoked, as this worker last heard: polled, so that a lost message cannot keep a revoked connection alive.
 * Fails open on a store outage, with the last known list: an outage must not disconnect everybody.
 */
import type { Logger } from '../observe/log.js'
import type { AccessRecords } from '../store/port.js'
import type { Identity } from './identity.js'

export interface Revocations {
  isRevoked(identity: Identity): boolean
  /** Called after a poll that changed the list. */
  onChange(listener: () => void): () => void
  /** Asks the store now; a failure is logged, and the old list stays. */
  refresh(): Promise<void>
  start(): Promise<void>
  close(): void
}

type Known = Awaited<ReturnType<AccessRecords['revocations']>>

/** White space cannot stand in a subject: an entry of one project's subject is told from a subject of all projects. */
export function revocationOf(subject: string, project: string | '*'): string {
  return project === '*' ? subject : `${project} ${subject}`
}

export function createRevocations(store: Pick<AccessRecords, 'revocations'>, pollMs: number, log: Logger): Revocations {
  const listeners = new Set<() => void>()
  let known: Known = { keys: new Set(), subjects: new Map() }
  let timer: NodeJS.Timeout | undefined
  let polling: Promise<void> | undefined
  let closed = false

  const poll = async () => {
    try {
      const next = await store.revocations()
      const changed = differ(next, known)
      known = next
      if (changed && !closed) for (const listener of listeners) listener()
    } catch (error) {
      log.warn({ err: error }, 'revocations could not be read; the last known list stays')
    }
  }

  const schedule = () => {
    if (closed) return
    timer = setTimeout(() => {
      void (polling ??= poll().finally(() => (polling = undefined))).then(schedule)
    }, pollMs).unref()
  }

  return {
    isRevoked(identity) {
      if (identity.via === 'none') return false
      if (identity.keyId !== undefined && known.keys.has(identity.keyId)) return true
      return ['*', identity.project].some((project) => {
        const at = known.subjects.get(revocationOf(identity.subject, project))
        // Without a date of issue nobody can say that it is newer than the revocation.
        return at !== undefined && (identity.issuedAt === undefined || identity.issuedAt <= at)
      })
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    // One behind another: a poll that is under way may have read before what the caller just wrote.
    async refresh() {
      await polling
      await poll()
    },
    async start() {
      await poll()
      schedule()
    },
    close() {
      closed = true
      clearTimeout(timer)
      listeners.clear()
    },
  }
}

/** Both only grow, but for a subject that is revoked anew. */
function differ(a: Known, b: Known): boolean {
  if (a.keys.size !== b.keys.size || a.subjects.size !== b.subjects.size) return true
  return [...a.keys].some((key) => !b.keys.has(key)) || [...a.subjects].some(([subject, at]) => b.subjects.get(subject) !== at)
}
