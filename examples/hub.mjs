/** Where the hub is and who speaks: HUBBUB_URL and HUBBUB_TOKEN, or a token of our own where HUBBUB_JWT_SECRET is known. */
import { connect } from '@hubbub/client'
import { signToken } from '@hubbub/server'

/**
 * @param {string} subject
 * @param {'agent' | 'service'} role
 */
export function connectAs(subject, role) {
  const { HUBBUB_URL = 'http://127.0.0.1:4000', HUBBUB_TOKEN, HUBBUB_JWT_SECRET } = process.env
  const token = HUBBUB_TOKEN ?? (HUBBUB_JWT_SECRET && (() => signToken(HUBBUB_JWT_SECRET, { sub: subject, role }, '15m')))
  const client = connect(HUBBUB_URL, token ? { token } : {})
  client.onError((error) => console.error(`${error.code}: ${error.message}`))
  return client
}
