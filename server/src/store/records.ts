/** The port's records besides the journal: dead letters, API keys, revocations. */
import type { Offset } from '@hubbub/protocol'
import type { SourceName } from './source-name.js'

export interface DeadLetter {
  id: Offset
  partition: number
  stream: SourceName
  entry: Offset
  code: string
  message: string
  /** ms since the epoch */
  at: number
  fields: Record<string, string>
}

export interface DeadLetters {
  count(partition: number): Promise<number>
  /** Newest first; with `before` the next older ones. */
  list(partition: number, count: number, before?: Offset): Promise<DeadLetter[]>
  get(partition: number, id: Offset): Promise<DeadLetter | null>
  /** Appends the entry to its source stream again and removes the letter, in one step. False: no such letter. */
  replay(partition: number, id: Offset): Promise<boolean>
  drop(partition: number, id: Offset): Promise<boolean>
}

export interface ApiKeyRecord {
  id: string
  /** SHA-256 of the secret, base64url; the secret itself is stored nowhere. */
  hash: string
  subject: string
  role: string
  projects: string[]
  permissions?: string[]
  createdAt: number
  revokedAt?: number
}

export interface AccessRecords {
  putKey(key: ApiKeyRecord): Promise<void>
  getKey(id: string): Promise<ApiKeyRecord | null>
  listKeys(): Promise<ApiKeyRecord[]>
  /** Tokens of the subject issued at or before `at` (ms) are refused from now on. */
  revokeSubject(subject: string, at: number): Promise<void>
  /** Everything that is revoked, for the workers' poll. */
  revocations(): Promise<{ keys: Set<string>; subjects: Map<string, number> }>
}
