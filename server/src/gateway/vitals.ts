/** `system.health_check`: how this process is, for whoever is connected to it. Nothing of other projects, no addresses, no settings. */
import type { Identity } from '../access/identity.js'
import { isAdmin } from '../access/permissions.js'
import type { Store } from '../store/port.js'
import { pingWithin } from './http/ping.js'

export interface Vitals {
  /** `degraded`: the store is out of reach. Connections stand, and what they hand in waits. */
  status: 'healthy' | 'degraded'
  role: string
  /** For admins. */
  node?: string
  uptimeSeconds: number
  store: { kind: string; ok: boolean; pingMs: number | null }
}

export interface VitalsDeps {
  store: Pick<Store, 'kind' | 'ping'>
  status: () => { role: string; node: string; startedAt: number }
}

export async function vitals({ store, status }: VitalsDeps, identity: Identity): Promise<Vitals> {
  const { role, node, startedAt } = status()
  const pingMs = await pingWithin(store)
  return {
    status: pingMs === null ? 'degraded' : 'healthy',
    role,
    ...(isAdmin(identity) && { node }),
    uptimeSeconds: Math.floor((Date.now() - startedAt) / 1000),
    store: { kind: store.kind, ok: pingMs !== null, pingMs },
  }
}
