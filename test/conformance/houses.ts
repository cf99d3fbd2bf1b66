import type { Settings } from '../../server/src/settings/table.js'
import { SECRET } from '../harness/token.js'

/** Rates do not stand in the way of hundreds of cases. */
export const BRISK: Partial<Settings> = { port: 0, jwtSecret: SECRET, messageRate: 100_000, messageBurst: 100_000, familyRates: '*=1000000' }
/** Keeps next to nothing of its journal, and workers little of it: what still stands in a worker's window is no gap. */
export const FORGETFUL: Partial<Settings> = { partitions: 1, retentionMs: 150, retentionCount: 10, windowEvents: 100 }
