import jsonwebtoken from 'jsonwebtoken'

/** The signing secret of every hub that the tests start. */
export const SECRET = 'a secret of the tests, longer than 32 characters'

export interface Claims {
  sub?: string
  role?: 'viewer' | 'agent' | 'service' | 'admin'
  project?: string
  projects?: string[]
  permissions?: string[]
  [claim: string]: unknown
}

/** An HS256 token: an admin of project `default` for an hour, unless the claims say otherwise. `exp` and `iat` in seconds. */
export function token(claims: Claims = {}, secret = SECRET): string {
  const now = Math.floor(Date.now() / 1000)
  const project = claims.projects ? {} : { project: 'default' }
  const { exp, ...rest } = { sub: 'tester', role: 'admin', ...project, iat: now, exp: now + 3600, ...claims }
  return jsonwebtoken.sign(exp === undefined ? rest : { ...rest, exp }, secret, { algorithm: 'HS256' })
}
