import { token } from '../harness/token.js'

/** No clock that a fault sets forward may end it. */
const WEEK_S = 7 * 24 * 3600

/** A token for one project. It is made once for each client: it comes back with the same. */
export function passFor(role: 'viewer' | 'agent' | 'service', project: string, subject: string): string {
  return token({ role, project, sub: subject, exp: Math.floor(Date.now() / 1000) + WEEK_S })
}
