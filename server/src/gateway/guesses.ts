/**
 * Whoever shows credentials that are none, one after the other. Counted by address, for a guess has no other name; so what this worker has
 * accepted before passes all the same: behind one address may stand a fleet, of which one member has a wrong key. What expired or was
 * revoked, or is of another project, was a credential, and no guess.
 */
import { createHash } from 'node:crypto'
import { HubError, type FailureCode } from '@hubbub/protocol'
import type { Credential } from '../access/credentials.js'
import type { Identity } from '../access/identity.js'
import { createBuckets, type Buckets } from '../access/rate.js'
import type { Logger } from '../observe/log.js'
import type { Settings } from '../settings/table.js'

const GUESSES: ReadonlySet<FailureCode> = new Set(['AUTH_INVALID_TOKEN', 'AUTH_INVALID_FORMAT', 'AUTH_FAILED'])
const MINUTE_S = 60
/** Credentials that are remembered; addresses that are. */
const MOST_KNOWN = 20_000
const MOST_BLOCKED = 20_000
/** Of one address a line, ms. */
const LOG_MS = 60_000

export class Guesses {
  private readonly failures: Buckets
  /** By `performance.now()`, ms: until when, and when it was logged. */
  private readonly blocked = new Map<string, { until: number; loggedAt: number }>()
  /** Hashes of what was accepted, the oldest first. */
  private readonly known = new Set<string>()

  constructor(private readonly settings: Pick<Settings, 'authFailures'>, private readonly log: Logger) {
    this.failures = createBuckets(settings.authFailures / MINUTE_S, Math.max(1, settings.authFailures))
  }

  /** Rejects with RATE_LIMITED, or as the authentication does. */
  async attempt(address: string, credential: Credential, authenticate: () => Promise<Identity>): Promise<Identity> {
    const mark = createHash('sha256').update(credential.text).digest('base64')
    const wait = (this.blocked.get(address)?.until ?? 0) - performance.now()
    if (wait > 0 && !this.known.has(mark)) {
      throw new HubError('RATE_LIMITED', 'Too many credentials from this address were none.', { scope: 'address', retryAfterMs: Math.ceil(wait), limit: this.settings.authFailures, unit: 'failures/min', setting: 'HUBBUB_AUTH_FAILURES' })
    }
    try {
      const identity = await authenticate()
      this.remember(mark)
      return identity
    } catch (error) {
      if (error instanceof HubError && GUESSES.has(error.code)) this.failed(address)
      throw error
    }
  }

  private remember(mark: string): void {
    this.known.delete(mark)
    this.known.add(mark)
    if (this.known.size > MOST_KNOWN) this.known.delete(this.known.values().next().value!)
  }

  private failed(address: string): void {
    const wait = this.failures.take(address)
    if (wait === 0) return
    const now = performance.now()
    const before = this.blocked.get(address)
    const isNews = before === undefined || now - before.loggedAt > LOG_MS
    if (isNews) this.log.warn({ address, limit: this.settings.authFailures, setting: 'HUBBUB_AUTH_FAILURES' }, 'too many bad credentials from one address')
    if (this.blocked.size >= MOST_BLOCKED) this.forget(now)
    this.blocked.set(address, { until: now + wait, loggedAt: isNews ? now : before.loggedAt })
  }

  private forget(now: number): void {
    for (const [address, { until }] of this.blocked) if (until <= now) this.blocked.delete(address)
    if (this.blocked.size >= MOST_BLOCKED) this.blocked.clear()
  }
}
