/**
 * API keys, `hub_<id>_<secret>`. The secret is shown once and stored as its SHA-256: 256 random bits need no slow hash.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { HubError } from '@hubbub/protocol'
import type { AccessRecords, ApiKeyRecord } from '../store/port.js'
import { permissionsOf, readGrant, type Grant } from './grant.js'

/** What may be shown of a key. */
export type ApiKey = Omit<ApiKeyRecord, 'hash'>

const KEY = /^hub_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/

export interface KeyRequest {
  subject: string
  role?: string
  projects?: string | string[]
  permissions?: string[]
}

/** Answers the key as its owner needs it, once. Throws INVALID_MESSAGE for a grant that makes no sense. */
export async function createKey(store: AccessRecords, request: KeyRequest): Promise<{ key: string; record: ApiKey }> {
  const grant = readGrant(request)
  if ('problem' in grant) throw new HubError('INVALID_MESSAGE', `The key cannot be made: ${grant.problem}.`)
  const id = randomBytes(8).toString('hex')
  const secret = randomBytes(32).toString('base64url')
  const record: ApiKeyRecord = { id, hash: digest(secret).toString('base64url'), ...grant, createdAt: Date.now() }
  await store.putKey(record)
  return { key: `hub_${id}_${secret}`, record: publicPart(record) }
}

export async function listKeys(store: AccessRecords): Promise<ApiKey[]> {
  const records = await store.listKeys()
  return records.map(publicPart).sort((a, b) => a.createdAt - b.createdAt)
}

/** Throws NOT_FOUND. A key that was revoked before keeps its first date. */
export async function revokeKey(store: AccessRecords, id: string, at = Date.now()): Promise<ApiKey> {
  const record = await store.getKey(id)
  if (!record) throw new HubError('NOT_FOUND', 'There is no such key.')
  if (record.revokedAt !== undefined) return publicPart(record)
  const revoked = { ...record, revokedAt: at }
  await store.putKey(revoked)
  return publicPart(revoked)
}

/** Id and secret of a key's text; undefined when it is not of the form. */
export function splitKey(text: string): { id: string; secret: string } | undefined {
  const match = KEY.exec(text)
  return match ? { id: match[1]!, secret: match[2]! } : undefined
}

/** Throws AUTH_INVALID_TOKEN for a wrong secret, and only then AUTH_REVOKED: a stranger learns nothing about a key. */
export function grantOfKey(record: ApiKeyRecord, secret: string): Grant {
  const expected = Buffer.from(record.hash, 'base64url')
  const actual = digest(secret)
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) throw new HubError('AUTH_INVALID_TOKEN')
  if (record.revokedAt !== undefined) throw new HubError('AUTH_REVOKED')
  const grant = readGrant(record)
  if ('problem' in grant) throw new HubError('AUTH_INVALID_TOKEN')
  return {
    subject: grant.subject,
    role: grant.role,
    projects: grant.projects,
    permissions: permissionsOf(grant),
    via: 'key',
    issuedAt: record.createdAt,
    keyId: record.id,
  }
}

function publicPart({ hash: _hash, ...rest }: ApiKeyRecord): ApiKey {
  return rest
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
