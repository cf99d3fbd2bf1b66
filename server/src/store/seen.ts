import { hash } from 'node:crypto'

/**
 * Dedupe key of an event: project, producer, id. Two producers may use one id, and nobody can claim another's (I6).
 * Hashed, so that a long id costs the store no more memory than a short one.
 */
export function seenKey(project: string, source: string, id: string): string {
  return hash('sha256', `${project}\n${source}\n${id}`, 'base64url').slice(0, 22)
}
