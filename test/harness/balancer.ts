/** A real balancer in front of hubs, HAProxy or nginx, with the configuration of `k8s/balancers` as users get it: only the settings are a test's. */
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from './eventually.js'
import { ended, leash } from './leash.js'
import { freePort } from './port.js'

const FOLDER = resolve('k8s/balancers')
/** Of `settings.env`. */
const PLACES = 4
const READY_MS = 20_000
const PROGRAMS = {
  haproxy: process.env['HUBBUB_HAPROXY'] ?? '/usr/sbin/haproxy',
  nginx: process.env['HUBBUB_NGINX'] ?? '/usr/sbin/nginx',
}

export type BalancerKind = keyof typeof PROGRAMS

export interface BalancerOptions {
  kind: BalancerKind
  /** Of workers on this machine, four at most; at the places that are left nobody listens. */
  ports: readonly number[]
  /** Other than those of `settings.env`. */
  settings?: Readonly<Record<string, string>>
  /** As the file says: without the lines that end with `# polling`. */
  webSocketOnly?: boolean
}

export interface Balancer {
  kind: BalancerKind
  /** `http://127.0.0.1:<port>`: the way without TLS. */
  plain: string
  /** `https://localhost:<port>` */
  secure: string
  /** `http://localhost:<port>`: leads to TLS. */
  insecure: string
  /** Of its certificate, for clients to trust; good for `localhost`, `hub.example` and 127.0.0.1. */
  authority: string
  /** Whatever it printed or logged. */
  log(): Promise<string>
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

/** Starts it, and waits until it leads to a worker that is ready. Rejects with what it printed. */
export async function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const { kind } = options
  const dir = await mkdtemp(join(tmpdir(), 'hubbub-balancer-'))
  const settings: Record<string, string> = { ...(await shippedSettings()), MAX_CONNECTIONS: '2000', ...(await certify(dir)), ACCESS_LOG: join(dir, 'access.log'), ...options.settings }
  for (const name of ['HTTP_PORT', 'HTTPS_PORT', 'PLAIN_PORT']) settings[name] = String(await freePort())
  for (let at = 0; at < PLACES; at++) settings[`WORKER_${at + 1}`] = `127.0.0.1:${options.ports[at] ?? (await freePort())}`
  const child = spawn(PROGRAMS[kind], await argumentsOf(options, dir, settings), { env: kind === 'haproxy' ? settings : {}, stdio: ['ignore', 'pipe', 'pipe'] })
  leash(child)
  let printed = ''
  for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8').on('data', (text: string) => (printed += text))
  child.once('error', (error) => (printed += `${error.message}; HUBBUB_HAPROXY and HUBBUB_NGINX name programs\n`))
  const gone = child.pid === undefined ? Promise.resolve() : ended(child)
  let isGone = false
  void gone.then(() => (isGone = true))
  const balancer: Balancer = {
    kind,
    plain: `http://127.0.0.1:${settings['PLAIN_PORT']}`,
    secure: `https://localhost:${settings['HTTPS_PORT']}`,
    insecure: `http://localhost:${settings['HTTP_PORT']}`,
    authority: await readFile(join(dir, 'certificate.pem'), 'utf8'),
    log: async () => printed + (await readFile(join(dir, 'access.log'), 'utf8').catch(() => '')),
    async stop() {
      child.kill('SIGKILL')
      await gone
      await rm(dir, { recursive: true, force: true })
    },
  }
  // HAProxy takes all places for workers until it has looked three times.
  const empty = Array.from({ length: PLACES }, (_, at) => at).slice(options.ports.length)
  const settled = () => kind !== 'haproxy' || empty.every((at) => printed.includes(`workers/w${at + 1} is DOWN`))
  const ready = async () => isGone || (settled() && (await fetch(`${balancer.plain}/health/ready`, { signal: AbortSignal.timeout(5000) })).ok)
  await eventually(ready, `a worker behind ${kind}`, READY_MS).catch((error: unknown) => (printed += String(error)))
  if (isGone || printed.includes('did not come true')) {
    await balancer.stop()
    throw new Error(`${kind} did not start: ${printed}`)
  }
  return balancer
}

async function argumentsOf({ kind, webSocketOnly }: BalancerOptions, dir: string, settings: Readonly<Record<string, string>>): Promise<string[]> {
  const name = kind === 'haproxy' ? 'haproxy.cfg' : 'nginx.conf'
  const shipped = await readFile(join(FOLDER, name), 'utf8')
  const lines = webSocketOnly ? shipped.split('\n').filter((line) => !line.endsWith('# polling')).join('\n') : shipped
  const file = join(dir, name)
  // HAProxy puts its environment in by itself; for nginx it is envsubst who does so.
  await writeFile(file, kind === 'haproxy' ? lines : lines.replaceAll(/\$\{([A-Z_0-9]+)\}/g, (_all, setting: string) => settings[setting] ?? ''))
  // One process: those that a master has would outlive its end.
  return kind === 'haproxy' ? ['-db', '-f', file] : ['-p', dir, '-c', file, '-g', `daemon off; master_process off; pid ${join(dir, 'pid')};`]
}

async function shippedSettings(): Promise<Record<string, string>> {
  const lines = (await readFile(join(FOLDER, 'settings.env'), 'utf8')).split('\n')
  return Object.fromEntries(lines.filter((line) => /^[A-Z]/.test(line)).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

async function certify(dir: string): Promise<{ CERTIFICATE: string }> {
  const [certificate, key, both] = ['certificate.pem', 'key.pem', 'tls.pem'].map((name) => join(dir, name)) as [string, string, string]
  const names = 'subjectAltName=DNS:localhost,DNS:hub.example,IP:127.0.0.1'
  await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=hub.example', '-addext', names])
  await writeFile(both, (await readFile(certificate, 'utf8')) + (await readFile(key, 'utf8')), { mode: 0o600 })
  return { CERTIFICATE: both }
}
