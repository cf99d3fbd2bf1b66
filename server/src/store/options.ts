import type { Settings } from '../settings/table.js'
import type { Retention } from './port.js'

export interface StoreOptions {
  /** Empty: the in-memory store. Forms: `redis/address.ts`. */
  redisUrl: string
  /** Paths of PEM files for `rediss://`; empty: none. */
  redisTls?: { ca: string; cert: string; key: string }
  partitions: number
  retention: Retention
  /** Dedupe window: a seen key is kept at least `ms`, unless one generation grows past `count` keys. */
  seen: { ms: number; count: number }
  /** Dead letters kept, a partition. */
  deadLetters: number
  /** Faults that no caller waits for: a lost connection, a failed resubscription. */
  onError?: (operation: string, error: unknown) => void
  /** A connection that was lost is there again; for metrics. */
  onReconnect?: () => void
  /** Shown by `CLIENT LIST`. */
  clientName?: string
}

export function storeOptions(settings: Settings): StoreOptions {
  return {
    redisUrl: settings.redisUrl,
    redisTls: { ca: settings.redisCaFile, cert: settings.redisCertFile, key: settings.redisKeyFile },
    partitions: settings.partitions,
    retention: { ageMs: settings.retentionMs, count: settings.retentionCount, bytes: settings.retentionBytes },
    seen: { ms: settings.seenMs, count: settings.seenCount },
    deadLetters: settings.deadLetters,
    clientName: settings.nodeId ? `hubbub-${settings.nodeId}` : 'hubbub',
  }
}
