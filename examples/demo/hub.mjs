/** Where the play takes place: a hub of its own, or one that stands already; and keys for everybody who plays, made with an admin's token. */
import { signToken } from '@hubbub/server'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { CAST } from './cast.mjs'
import { settingsFor } from './settings.mjs'

const PROGRAM = fileURLToPath(new URL('hub-process.mjs', import.meta.url))
const READY_MS = 30_000
const KEPT_CHARACTERS = 20_000

/** @typedef {{ url: string, token: string, githubSecret?: string, gone: Promise<string>, stop: () => Promise<void> }} Place */

/** A hub in memory, a process of its own that ends with this one. Rejects with what it printed when it does not come up. @param {{ speed: number, port: number }} options @returns {Promise<Place>} */
export async function startOwnHub({ speed, port }) {
  const secret = randomBytes(32).toString('base64url')
  const githubSecret = randomBytes(20).toString('hex')
  const env = { ...withoutSettings(process.env), ...settingsFor(speed), HUBBUB_JWT_SECRET: secret, HUBBUB_GITHUB_SECRET: githubSecret }
  const child = spawn(process.execPath, [PROGRAM, 'up', '--port', String(port)], { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output = (output + text).slice(-KEPT_CHARACTERS)))
  const gone = once(child, 'exit').then(() => output.trim())
  const url = await readyUrl(child.stdout, gone)
  const token = signToken(secret, { sub: 'operator', role: 'admin', projects: ['*'], project: 'default' }, '7d')
  return {
    url, token, githubSecret, gone,
    stop: async () => {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await gone
      clearTimeout(late)
    },
  }
}

/** @param {import('node:stream').Readable} stdout @param {Promise<string>} gone @returns {Promise<string>} */
async function readyUrl(stdout, gone) {
  let seen = ''
  return await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the hub was not ready within ${READY_MS} ms:\n${seen}`)), READY_MS)
    stdout.on('data', (text) => {
      seen += text
      const url = /^hubbub is ready: (\S+)/m.exec(seen)?.[1]
      if (url) settle(() => resolve(url))
    })
    void gone.then((output) => settle(() => reject(new Error(`the hub did not start:\n${output}`))))
    const settle = (/** @type {() => void} */ end) => {
      clearTimeout(late)
      end()
    }
  })
}

/**
 * A key for each of the cast and one for the engine. Rejects with what the hub says: the token has to be an admin's.
 * @param {{ url: string, token: string }} place @param {string} engine subject of the engine's key
 */
export async function makeKeys({ url, token }, engine) {
  /** @type {Map<string, string>} */
  const keys = new Map()
  /** @type {string[]} */
  const ids = []
  const wanted = [...CAST.map(({ id }) => ({ subject: id, role: 'agent' })), { subject: engine, role: 'service' }]
  for (const request of wanted) {
    const { key, id } = await asked(`${url}/api/v1/keys`, token, 'POST', request)
    keys.set(request.subject, String(key))
    ids.push(String(id))
  }
  const revoke = async () => {
    for (const id of ids) await asked(`${url}/api/v1/keys/${id}`, token, 'DELETE')
  }
  return { keys, revoke }
}

/** @param {string} url @param {string} token @param {string} method @param {object} [body] @returns {Promise<Record<string, unknown>>} */
async function asked(url, token, method, body) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const response = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }), signal: AbortSignal.timeout(10_000) })
  const answer = /** @type {{ error?: { code: string, message: string } }} */ (await response.json())
  if (!response.ok) throw new Error(`${method} ${url}: ${answer.error?.code ?? response.status}: ${answer.error?.message ?? ''} The demo needs an admin's token: it makes a key for each of its agents.`)
  return answer
}

/** What steers other hubs must not steer this one: it is in memory, whatever REDIS_URL says. @param {NodeJS.ProcessEnv} env */
function withoutSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(HUBBUB_|REDIS_URL$)/.test(name)))
}
