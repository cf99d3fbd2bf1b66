/**
 * The keys against which tokens are verified. Each key is bound to one algorithm by its type: whoever sends a token does
 * not choose how it is checked (`none`, and an HMAC keyed with a public key, find no key at all).
 */
import { createPublicKey, createSecretKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SettingError } from '../settings/read.js'
import type { Settings } from '../settings/table.js'

export const ALGORITHMS = ['HS256', 'RS256', 'ES256'] as const
export type TokenAlgorithm = (typeof ALGORITHMS)[number]

export interface VerificationKey {
  key: KeyObject
  algorithm: TokenAlgorithm
  kid?: string
}

/** Reads the key files once, at the start. Public keys are used instead of the secret. Empty: no token is accepted. */
export function readVerificationKeys(settings: Pick<Settings, 'jwtSecret' | 'jwtPublicKeyFile' | 'jwksFile'>): VerificationKey[] {
  const keys: VerificationKey[] = []
  if (settings.jwtPublicKeyFile !== '') keys.push(readPem(settings.jwtPublicKeyFile))
  if (settings.jwksFile !== '') keys.push(...readJwks(settings.jwksFile))
  if (keys.length === 0 && settings.jwtSecret !== '') keys.push({ key: createSecretKey(settings.jwtSecret, 'utf8'), algorithm: 'HS256' })
  return keys
}

/**
 * The one key for a token's header. With `kid`: a key of that id, or one that has no id (a PEM file).
 * Without: the only key of the algorithm; several would mean trying them all, which a rotation should not rest on.
 */
export function findKey(keys: readonly VerificationKey[], header: { alg?: unknown; kid?: unknown }): KeyObject | undefined {
  const fitting = keys.filter((key) => key.algorithm === header.alg)
  if (header.kid === undefined) return fitting.length === 1 ? fitting[0]!.key : undefined
  return (fitting.find((key) => key.kid === header.kid) ?? fitting.find((key) => key.kid === undefined))?.key
}

function readPem(file: string): VerificationKey {
  const key = attempt(() => createPublicKey(readFileSync(file)))
  const algorithm = key && algorithmOf(key)
  if (!algorithm) throw unusable('HUBBUB_JWT_PUBLIC_KEY_FILE', file, 'PEM')
  return { key, algorithm }
}

/** Keys of other types, and such as are for encryption, are passed over: a JWKS file may hold more than is for us. */
function readJwks(file: string): VerificationKey[] {
  const document: unknown = attempt(() => JSON.parse(readFileSync(file, 'utf8')) as unknown)
  const entries: unknown = isRecord(document) ? document['keys'] : undefined
  const keys = (Array.isArray(entries) ? (entries as unknown[]) : []).flatMap((entry) => readJwk(entry) ?? [])
  if (keys.length === 0) throw unusable('HUBBUB_JWKS_FILE', file, 'JWKS')
  return keys
}

function readJwk(entry: unknown): VerificationKey | undefined {
  if (!isRecord(entry) || (entry['kty'] !== 'RSA' && entry['kty'] !== 'EC') || entry['use'] === 'enc') return undefined
  const key = attempt(() => createPublicKey({ key: entry as JsonWebKeyInput['key'], format: 'jwk' }))
  const algorithm = key && algorithmOf(key)
  if (!algorithm || (entry['alg'] !== undefined && entry['alg'] !== algorithm)) return undefined
  return typeof entry['kid'] === 'string' ? { key, algorithm, kid: entry['kid'] } : { key, algorithm }
}

function algorithmOf(key: KeyObject): TokenAlgorithm | undefined {
  if (key.asymmetricKeyType === 'rsa') return 'RS256'
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'ES256' : undefined
}

function unusable(variable: string, file: string, form: string): SettingError {
  return new SettingError(`${variable}: '${file}' is not allowed; allowed: a readable ${form} file with an RSA or P-256 public key`)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
