/** The one place where a credential becomes an identity, on every gateway. */
import { HubError } from '@hubbub/protocol'
import type { Logger } from '../observe/log.js'
import type { Settings } from '../settings/table.js'
import { StoreUnavailable, type AccessRecords, type ApiKeyRecord } from '../store/port.js'
import type { Credential } from './credentials.js'
import type { Grant } from './grant.js'
import type { Identity } from './identity.js'
import { grantOfKey, splitKey } from './keys.js'
import { chooseProject } from './projects.js'
import { createRevocations } from './revocations.js'
import { createTokenVerifier } from './tokens.js'

export interface Authenticator {
  /**
   * Rejects with HubError AUTH_MISSING_TOKEN, AUTH_INVALID_FORMAT, AUTH_TOKEN_EXPIRED, AUTH_INVALID_TOKEN, AUTH_REVOKED,
   * WRONG_PROJECT, or UNAVAILABLE when an API key must be looked up and the store is out of reach.
   */
  authenticate(credential: Credential | undefined, project?: string): Promise<Identity>
  /** For whoever holds an identity longer than a request. Expiry is not part of it: `identity.expiresAt` says when. */
  isRevoked(identity: Identity): boolean
  /** Called when the list of revocations changed; answers how to stop. */
  onRevocation(listener: () => void): () => void
  /** Reads revocations now, after this worker wrote one. */
  refresh(): Promise<void>
  /** Reads revocations, then goes on polling. */
  start(): Promise<void>
  close(): void
}

/** A revoked key may pass for this long where the poll has not told of it; ms. */
const KEY_CACHE_MS = 2000
const KEY_CACHE_SIZE = 10_000

/** Throws SettingError when a key file cannot be used. */
export function createAuthenticator(deps: { settings: Settings; store: AccessRecords; log: Logger }): Authenticator {
  const { settings, store, log } = deps
  const tokens = createTokenVerifier(settings)
  const revocations = createRevocations(store, settings.revocationPollMs, log)
  const lookUp = createKeyLookup(store)

  const grantOf = async (credential: Credential): Promise<Grant> => {
    if (credential.kind === 'token') return tokens.verify(credential.text)
    const parts = splitKey(credential.text)
    if (!parts) throw new HubError('AUTH_INVALID_FORMAT')
    const record = await lookUp(parts.id)
    if (!record) throw new HubError('AUTH_INVALID_TOKEN')
    return grantOfKey(record, parts.secret)
  }

  return {
    async authenticate(credential, project) {
      if (!credential) {
        if (settings.auth !== 'none') throw new HubError('AUTH_MISSING_TOKEN')
        return { ...LOCAL, project: chooseProject(LOCAL.projects, project) }
      }
      const grant = await grantOf(credential)
      const identity: Identity = { ...grant, project: chooseProject(grant.projects, project) }
      if (revocations.isRevoked(identity)) throw new HubError('AUTH_REVOKED')
      return identity
    },
    isRevoked: (identity) => revocations.isRevoked(identity),
    onRevocation: (listener) => revocations.onChange(listener),
    refresh: () => revocations.refresh(),
    start: () => revocations.start(),
    close: () => revocations.close(),
  }
}

/** Everybody, on loopback, when nobody needs a credential. */
const LOCAL: Grant = { subject: 'local', role: 'admin', projects: ['*'], permissions: ['admin'], via: 'none' }

/** Reconnecting fleets ask for the same key at once: one lookup serves them all for `KEY_CACHE_MS`. */
function createKeyLookup(store: AccessRecords): (id: string) => Promise<ApiKeyRecord | null> {
  const cache = new Map<string, { at: number; record: Promise<ApiKeyRecord | null> }>()
  return async (id) => {
    const now = performance.now()
    let cached = cache.get(id)
    if (!cached || now - cached.at > KEY_CACHE_MS) {
      if (cache.size >= KEY_CACHE_SIZE) cache.clear()
      cached = { at: now, record: store.getKey(id) }
      cache.set(id, cached)
      const mine = cached
      // Neither a failure nor a key that is not there yet is worth remembering.
      const forget = () => cache.get(id) === mine && cache.delete(id)
      mine.record.then((record) => record ?? forget(), forget)
    }
    try {
      return await cached.record
    } catch (cause) {
      throw cause instanceof StoreUnavailable ? new HubError('UNAVAILABLE', undefined, undefined, { cause }) : cause
    }
  }
}
