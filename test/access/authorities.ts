/** Real keys and tokens, of the right and of the wrong kind. */
import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const SECRET = 'a secret of the tests, longer than 32 characters'

export interface Pair {
  publicKey: KeyObject
  privateKey: KeyObject
}

export function rsaPair(): Pair {
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

export function ecPair(namedCurve = 'P-256'): Pair {
  return generateKeyPairSync('ec', { namedCurve })
}

export function pemOf(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

/** Signed by hand: a library would refuse to make most of what must be refused. */
export function handMade(header: object, claims: object, key: KeyObject | string | null): string {
  const body = `${encode(header)}.${encode(claims)}`
  if (key === null) return `${body}.`
  if (typeof key === 'string') return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`
  return `${body}.${createSign('sha256').update(body).sign({ key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

export const inAnHour = () => Math.floor(Date.now() / 1000) + 3600

/** A folder for key files; `clear` removes it. */
export function keyFolder(): { write(name: string, text: string): string; clear(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-keys-'))
  return {
    write(name, text) {
      const file = join(folder, name)
      writeFileSync(file, text)
      return file
    },
    clear: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
