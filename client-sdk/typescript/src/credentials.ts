import { HubError } from '@hubbub/protocol'

export interface CredentialOptions {
  token?: string | (() => string | Promise<string>)
  apiKey?: string
  project?: string
}

/** A token is renewed at this share of its life, but at most a minute before its end. */
const LONGEST_LEAD_MS = 60_000
const LEAD_SHARE = 0.2

/** The credential of a client: what the handshake carries, and when its token wants renewing. */
export class Credentials {
  #token: string | undefined
  /** ms, `Date.now()` */
  #fetchedAt = 0

  constructor(private readonly options: CredentialOptions) {}

  /** Whether another token can be had. */
  get isRenewable(): boolean {
    return typeof this.options.token === 'function'
  }

  /** The handshake's `auth`. Rejects with AUTH_FAILED when the token function fails. */
  async auth(): Promise<Record<string, string>> {
    const { apiKey, project } = this.options
    const auth: Record<string, string> = {}
    const token = await this.#current()
    if (token !== undefined) auth['token'] = token
    if (apiKey !== undefined) auth['apiKey'] = apiKey
    if (project !== undefined) auth['project'] = project
    return auth
  }

  /** A new token for `auth.refresh`. */
  async renew(): Promise<string> {
    this.forget()
    return (await this.#current()) ?? ''
  }

  forget(): void {
    this.#token = undefined
  }

  /** ms until the token should be renewed, 0 when that is now; undefined when it has no end, or no other can be had. */
  renewIn(now = Date.now()): number | undefined {
    const end = this.isRenewable && this.#token !== undefined ? expiryOf(this.#token) : undefined
    if (end === undefined) return undefined
    const lead = Math.min(LONGEST_LEAD_MS, (end - this.#fetchedAt) * LEAD_SHARE)
    return Math.max(0, end - lead - now)
  }

  async #current(): Promise<string | undefined> {
    const { token } = this.options
    if (typeof token !== 'function') return token
    if (this.#token !== undefined && this.renewIn() !== 0) return this.#token
    try {
      this.#token = await token()
      this.#fetchedAt = Date.now()
      return this.#token
    } catch (error) {
      throw new HubError('AUTH_FAILED', 'The token function failed.', undefined, { cause: error })
    }
  }
}

/** When a JWT ends, ms; undefined for anything else. Read, not verified: that is the hub's to do. */
export function expiryOf(token: string): number | undefined {
  const payload = token.split('.')[1]
  if (payload === undefined) return undefined
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
    const exp = typeof claims === 'object' && claims !== null ? (claims as { exp?: unknown }).exp : undefined
    return typeof exp === 'number' ? exp * 1000 : undefined
  } catch {
    return undefined
  }
}
