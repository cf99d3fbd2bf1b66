/**
 * Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body` with the bytes behind `whsec_`. The
 * timestamp is the attempt's, so that a receiver may refuse what was recorded and is sent again later.
 */
import { createHmac } from 'node:crypto'

/** @param timestamp whole seconds since the epoch */
export function signatureOf(secret: string, id: string, timestamp: number, body: Buffer): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`
}
