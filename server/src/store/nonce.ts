import { randomBytes } from 'node:crypto'

/** Names a fence or an epoch: 12 characters of base64url, as cursors allow. Random, because counters can repeat after a failover. */
export function nonce(): string {
  return randomBytes(9).toString('base64url')
}
