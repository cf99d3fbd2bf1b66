/** Redis over TLS that asks for a certificate: who has the right ones works over nothing else, who has not is told in one line. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createClient } from 'redis'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { freePort } from '../harness/port.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { stockClient } from '../harness/sink.js'
import { token } from '../harness/token.js'

const run = promisify(execFile)
const SERVICE = token({ sub: 'engine', role: 'service' })

let folder: string
let redis: RedisProcess
let url: string
const file = (name: string) => join(folder, name)

/** `name.crt` and `name.key`, signed by `by`, or by itself. */
async function certify(name: string, by?: string): Promise<void> {
  await writeFile(file(`${name}.ext`), by ? 'subjectAltName=IP:127.0.0.1\n' : 'basicConstraints=critical,CA:TRUE\n')
  await run('openssl', ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`), '-subj', `/CN=${name}`])
  const signer = by ? ['-CA', file(`${by}.crt`), '-CAkey', file(`${by}.key`), '-CAcreateserial'] : ['-signkey', file(`${name}.key`)]
  await run('openssl', ['x509', '-req', '-in', file(`${name}.csr`), ...signer, '-days', '2', '-extfile', file(`${name}.ext`), '-out', file(`${name}.crt`)])
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hubbub-tls-'))
  await certify('authority')
  await certify('stranger')
  await certify('redis', 'authority')
  await certify('hub', 'authority')
  const port = await freePort()
  redis = await startRedis({
    args: ['--save', '', '--tls-port', String(port), '--tls-cert-file', file('redis.crt'), '--tls-key-file', file('redis.key'), '--tls-ca-cert-file', file('authority.crt'), '--tls-auth-clients', 'yes'],
  })
  url = `rediss://127.0.0.1:${port}`
}, 30_000)
afterAll(async () => {
  await redis?.stop()
  await rm(folder, { recursive: true, force: true })
})

const trusted = () => ({ HUBBUB_REDIS_CA_FILE: file('authority.crt'), HUBBUB_REDIS_CERT_FILE: file('hub.crt'), HUBBUB_REDIS_KEY_FILE: file('hub.key') })

/** What a hub says that does not start. */
async function complaint(env: Record<string, string>): Promise<string> {
  const failed = await startHub({ redis: url, env: { HUBBUB_LOG_LEVEL: 'silent', ...env } }).then((hub) => hub.stop(), (error: Error) => error.message)
  return String(failed).replace(/^the hub did not start: .*\n/, '').trim()
}

test.each(['sharded', 'pubsub', 'streams'])('a hub with the certificates: events, and signals by the adapter %s, all of it over TLS', async (adapter) => {
  const hubs: HubProcess[] = await Promise.all([0, 1].map(() => startHub({ redis: url, args: ['--adapter', adapter], env: trusted() })))
  const [near, far] = await Promise.all(hubs.map((hub) => stockClient(hub.url, { token: SERVICE, topics: ['task:t'] })))
  await ask(`${hubs[0]!.url}/api/v1/events`, { as: SERVICE, json: { type: 'task.progress', data: { taskId: 't', progress: 1 } } })
  await Promise.all([near!.holds(1), far!.holds(1)])
  await eventually(async () => {
    await near!.socket.emitWithAck('signal', { topic: 'task:t', name: 'hello' })
    return far!.signals.length > 0
  }, 'a signal from the other hub')

  const plain = await createClient({ url: redis.url, name: 'onlooker' }).connect()
  const others = (await plain.clientList()).filter(({ name }) => name !== 'onlooker')
  plain.destroy()
  expect(others.length).toBeGreaterThan(4)
  expect([...new Set(others.map(({ laddr }) => laddr))]).toEqual([new URL(url).host])
  expect(await Promise.all(hubs.map((hub) => hub.stop()))).toEqual([0, 0])
}, 40_000)

test('a hub with the wrong certificates, or none, does not start, and says why in one line', async () => {
  const cases: [why: string, env: Record<string, string>, line: RegExp][] = [
    ['it trusts somebody else', { ...trusted(), HUBBUB_REDIS_CA_FILE: file('stranger.crt') }, /certificate/],
    ['it trusts whom Node trusts', { ...trusted(), HUBBUB_REDIS_CA_FILE: '' }, /certificate/],
    ['it has no certificate of its own', { HUBBUB_REDIS_CA_FILE: file('authority.crt') }, /certificate|alert|closed|reset/],
    ['its file is not there', { ...trusted(), HUBBUB_REDIS_CA_FILE: file('none.crt') }, /HUBBUB_REDIS_CA_FILE/],
    ['its file is no certificate', { ...trusted(), HUBBUB_REDIS_CERT_FILE: file('hub.ext') }, /HUBBUB_REDIS_CERT_FILE/],
  ]
  const said = await Promise.all(cases.map(([, env]) => complaint(env)))
  for (const [at, [why, , line]] of cases.entries()) {
    expect([why, said[at]!.split('\n')]).toEqual([why, [expect.stringMatching(/^hubbub/)]])
    expect([why, said[at]]).toEqual([why, expect.stringMatching(line)])
  }
}, 60_000)
