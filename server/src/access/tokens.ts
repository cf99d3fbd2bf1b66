/**
 * JSON Web Tokens: verified by passport-jwt, signed for the command line. Claims: `sub` (required), `role` (default
 * `viewer`), `project` or `projects` (default `default`; `*` is every project), `permissions`, `exp`, `iat`,
 * `agentType` or `agent_type`, `capabilities`.
 */
import { HubError } from '@hubbub/protocol'
import jwt from 'jsonwebtoken'
import passport from 'passport'
import passportJwt from 'passport-jwt'
import { SettingError } from '../settings/read.js'
import type { Settings } from '../settings/table.js'
import { permissionsOf, readGrant, textList, type Grant } from './grant.js'
import { ALGORITHMS, findKey, readVerificationKeys } from './verification-keys.js'

export interface TokenVerifier {
  /** Rejects with AUTH_TOKEN_EXPIRED or AUTH_INVALID_TOKEN; why exactly is the owner's to find out, not a stranger's. */
  verify(token: string): Promise<Grant>
}

export interface TokenClaims {
  sub: string
  role?: string
  project?: string | string[]
  projects?: string | string[]
  permissions?: string[]
  agentType?: string
  capabilities?: string[]
}

interface TokenRequest {
  token: string
}

type Middleware = (request: TokenRequest, response: object, next: (error?: unknown) => void) => void

export function createTokenVerifier(settings: Settings): TokenVerifier {
  const keys = readVerificationKeys(settings)
  const strategy = new passportJwt.Strategy(
    {
      jwtFromRequest: (request: TokenRequest) => request.token,
      // A KeyObject, which jsonwebtoken takes and the strategy only passes on: bytes would be guessed at (PEM or secret) each time.
      secretOrKeyProvider: (_request: TokenRequest, token: unknown, done) => {
        const key = findKey(keys, headerOf(token))
        done(key ? null : new Error('no key'), key as unknown as Buffer)
      },
      algorithms: [...ALGORITHMS],
      ...(settings.jwtIssuer !== '' && { issuer: settings.jwtIssuer }),
      ...(settings.jwtAudience !== '' && { audience: settings.jwtAudience }),
    },
    (claims: unknown, done) => done(null, claims),
  )
  const authenticator = new passport.Passport()
  authenticator.use(strategy)

  return {
    async verify(token) {
      const claims = await new Promise<unknown>((resolve, reject) => {
        const settle = (error: unknown, user: unknown, info: unknown) => (error || !user ? reject(refusal(error ?? info)) : resolve(user))
        // Express calls it with a request; all that this strategy reads of one is the token.
        const verify = authenticator.authenticate(strategy.name, { session: false }, settle) as Middleware
        verify({ token }, {}, (error) => reject(refusal(error)))
      })
      return grantOf(claims)
    },
  }
}

/**
 * A signed HS256 token. `ttl` is seconds or a duration such as `15m`, `1h`, `30d`. Throws SettingError for a claim or
 * duration that the hub itself would refuse.
 */
export function signToken(secret: string, claims: TokenClaims, ttl: string | number): string {
  const { sub, role, project, projects, permissions } = claims
  const grant = readGrant({ subject: sub, role, projects: projects ?? project, permissions })
  if ('problem' in grant) throw new SettingError(`token: ${grant.problem}`)
  return jwt.sign({ ...claims }, secret, { algorithm: 'HS256', expiresIn: ttlSeconds(ttl) })
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }

function ttlSeconds(ttl: string | number): number {
  const match = /^(\d{1,9})([smhd]?)$/.exec(String(ttl))
  const seconds = match ? Number(match[1]) * (UNITS[match[2] || 's'] ?? 0) : 0
  if (seconds < 1) throw new SettingError(`--ttl: '${ttl}' is not allowed; allowed: a duration such as 90s, 15m, 1h, 30d`)
  return seconds
}

function headerOf(token: unknown): { alg?: unknown; kid?: unknown } {
  const header = typeof token === 'string' ? jwt.decode(token, { complete: true })?.header : undefined
  // RFC 7515 4.1.11: a token that names critical extensions which we do not know must be refused.
  return header && header.crit === undefined ? header : {}
}

function refusal(cause: unknown): HubError {
  const expired = cause instanceof Error && cause.name === 'TokenExpiredError'
  return new HubError(expired ? 'AUTH_TOKEN_EXPIRED' : 'AUTH_INVALID_TOKEN', undefined, undefined, { cause })
}

function grantOf(claims: unknown): Grant {
  const fields = (typeof claims === 'object' && claims !== null ? claims : {}) as Record<string, unknown>
  const { sub, role, project, projects, permissions, exp, iat } = fields
  const asked = project === undefined || projects === undefined ? (projects ?? project) : [project, projects].flat()
  const grant = readGrant({ subject: sub, role, projects: asked, permissions })
  if ('problem' in grant) throw new HubError('AUTH_INVALID_TOKEN', `The token is signed, but ${grant.problem}.`)
  const agentType = fields['agentType'] ?? fields['agent_type']
  const capabilities = fields['capabilities'] === undefined ? undefined : textList(fields['capabilities'])
  return {
    subject: grant.subject,
    role: grant.role,
    projects: grant.projects,
    permissions: permissionsOf(grant),
    via: 'jwt',
    ...(typeof exp === 'number' && { expiresAt: exp * 1000 }),
    ...(typeof iat === 'number' && { issuedAt: iat * 1000 }),
    ...(typeof agentType === 'string' && { agentType }),
    ...(capabilities && { capabilities }),
  }
}
