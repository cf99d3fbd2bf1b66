/** `X-Hub-Signature-256`: HMAC-SHA256 of the body's bytes, compared in constant time. */
import { createHmac, timingSafeEqual } from 'node:crypto'

const SIGNATURE = /^sha256=([0-9a-f]{64})$/i

export function isSignature(header: string | undefined): header is string {
  return header !== undefined && SIGNATURE.test(header)
}

/** As GitHub writes it. */
export function signatureOf(secret: string, body: Buffer): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

/** Whether one of the secrets made the signature. All are tried, so that the time does not tell which one fits. */
export function signatureFits(secrets: readonly string[], body: Buffer, header: string | undefined): boolean {
  const match = header === undefined ? null : SIGNATURE.exec(header)
  if (!match) return false
  const given = Buffer.from(match[1]!, 'hex')
  let fits = false
  for (const secret of secrets) {
    if (timingSafeEqual(given, createHmac('sha256', secret).update(body).digest())) fits = true
  }
  return fits
}
