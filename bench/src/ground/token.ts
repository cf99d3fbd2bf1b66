import { signToken } from '../../../server/dist/access/tokens.js'

export const SECRET = 'a secret for this measurement only, 40 characters'

/** Of a service that may do everything, for as long as any measurement takes. */
export function serviceToken(): string {
  return signToken(SECRET, { sub: 'bench', role: 'service' }, '12h')
}
