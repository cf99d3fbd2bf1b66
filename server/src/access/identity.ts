/** Who is speaking. Made once by `authenticate`, then carried through the path; nothing in a payload can change it. */
import type { EntryIdentity } from '../store/port.js'

export const ROLES = ['viewer', 'agent', 'service', 'admin'] as const
export type Role = (typeof ROLES)[number]

export interface Identity {
  subject: string
  role: Role
  /** The one project of this connection or request. */
  project: string
  /** All that the credential grants; `*` is every project. */
  projects: readonly string[]
  /** What the credential may do, shorthands resolved: `subscribe:task:*`, `publish:agent.*`, `admin`. */
  permissions: readonly string[]
  via: 'jwt' | 'key' | 'none'
  /** ms since the epoch; the connection ends then. */
  expiresAt?: number
  /** ms since the epoch, for revocation by subject. */
  issuedAt?: number
  keyId?: string
  agentType?: string
  capabilities?: readonly string[]
}

/** `metadata.source` of whatever the identity publishes. */
export function sourceOf(identity: Identity): string {
  const folder = identity.role === 'agent' ? 'agents' : identity.role === 'service' ? 'services' : 'users'
  return `/${folder}/${encodeURIComponent(identity.subject)}`
}

export function entryIdentity(identity: Identity): EntryIdentity {
  const entry: EntryIdentity = { source: sourceOf(identity), project: identity.project }
  if (identity.role === 'agent') entry.agentId = identity.subject
  return entry
}
