/** The stage of a rolling restart: Redis, a processor, workers as operators run them, and HAProxy in front with the configuration of `k8s/balancers`. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cpuOf } from '../ground/meters.js'
import { ended, freePort, startRedis } from '../ground/processes.js'
import type { Place } from './run.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const READY_MS = 60_000
/** Of `settings.env`. */
const PLACES = 4

export interface StageProcesses {
  url: string
  places: Place[]
  /** CPU time so far by part, seconds; workers that have ended included. */
  cpu(): Record<string, number>
  /** How often the balancer took a worker for dead that had not ended: it did not answer in time. */
  mistaken(): number
  stop(): Promise<void>
}

const KEPT_CHARACTERS = 100_000
/** What each process printed on stderr. */
const complaints = new WeakMap<ChildProcess, string>()
/** At least once in this time a process that ends is asked what it has used, ms. */
const LOOK_MS = 100

/** @param env of every hub @param maxConnections of the balancer */
export async function openStage(workers: number, env: Record<string, string>, maxConnections: number): Promise<StageProcesses> {
  if (workers > PLACES) throw new RangeError(`--workers: ${workers} is not allowed; the configuration has ${PLACES} places`)
  const children = new Set<ChildProcess>()
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-rolling-'))
  const redis = await startRedis()
  let isOver = false
  // Whatever ends this process, nothing of it stays behind.
  process.once('exit', () => {
    if (isOver) return
    for (const child of children) child.kill('SIGKILL')
    process.kill(redis.pid, 'SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  const stop = async () => {
    await Promise.all([...children].map((child) => ended(child, 'SIGKILL')))
    await redis.stop()
    rmSync(folder, { recursive: true, force: true })
    isOver = true
  }
  try {
    const hub = async (role: string, port: number): Promise<ChildProcess> => {
      const child = run(children, process.execPath, ['server/bin/hubbub.mjs', 'up', '--role', role, '--redis', redis.url, '--port', String(port)], env)
      await ready(child, `http://127.0.0.1:${port}/health/ready`)
      return child
    }
    const processor = await hub('processor', await freePort())
    const spent = { workers: 0 }
    const of = (child: ChildProcess) => (child.exitCode === null && child.signalCode === null ? cpuOf(child.pid!) : 0)
    const placed = await Promise.all(Array.from({ length: workers }, async () => {
      const port = await freePort()
      return { port, child: await hub('worker', port) }
    }))
    const plainPort = await freePort()
    const balancer = run(children, process.env['HUBBUB_HAPROXY'] ?? 'haproxy', ['-db', '-f', 'k8s/balancers/haproxy.cfg'], { ...(await balancerSettings(placed.map(({ port }) => port), plainPort)), MAX_CONNECTIONS: String(maxConnections), CERTIFICATE: certify(folder) })
    await ready(balancer, `http://127.0.0.1:${plainPort}/health/ready`)
    const places = placed.map((place): Place => ({
      url: `http://127.0.0.1:${place.port}`,
      async replace() {
        const { child } = place
        let last = 0
        // Of a process that is gone nobody tells any more.
        const look = setInterval(() => (last = of(child) || last), LOOK_MS)
        await ended(child, 'SIGTERM')
        clearInterval(look)
        spent.workers += last
        if (child.exitCode !== 0) process.stderr.write(complaints.get(child) ?? '')
        place.child = await hub('worker', place.port)
        return child.exitCode
      },
    }))
    const cpu = () => ({ workers: placed.reduce((sum, { child }) => sum + of(child), spent.workers), balancer: of(balancer), processor: of(processor), redis: cpuOf(redis.pid) })
    return { url: `http://127.0.0.1:${plainPort}`, places, cpu, mistaken: () => [...(complaints.get(balancer) ?? '').matchAll(/ is DOWN, reason: Layer. timeout/g)].length, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Those that are shipped, with ports of our own. The way in is the one without TLS. */
async function balancerSettings(ports: readonly number[], plainPort: number): Promise<Record<string, string>> {
  const lines = readFileSync(join(ROOT, 'k8s/balancers/settings.env'), 'utf8').split('\n').filter((line) => /^[A-Z]/.test(line))
  const settings: Record<string, string> = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  for (let at = 0; at < PLACES; at++) settings[`WORKER_${at + 1}`] = `127.0.0.1:${ports[at] ?? (await freePort())}`
  return { ...settings, HTTP_PORT: String(await freePort()), HTTPS_PORT: String(await freePort()), PLAIN_PORT: String(plainPort) }
}

/** Nobody looks at it here; the configuration wants one. */
function certify(folder: string): string {
  const [certificate, key, both] = ['certificate.pem', 'key.pem', 'tls.pem'].map((name) => join(folder, name)) as [string, string, string]
  const { status } = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost'])
  if (status !== 0) throw new Error('openssl did not make a certificate; is it installed?')
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'), { mode: 0o600 })
  return both
}

function run(children: Set<ChildProcess>, program: string, args: string[], env: Record<string, string>): ChildProcess {
  const child = spawn(program, args, { cwd: ROOT, env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
  // It has much to say of workers that come and go; only why it does not start is for anybody to read.
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.set(child, ((complaints.get(child) ?? '') + text).slice(-KEPT_CHARACTERS)))
  children.add(child)
  child.once('exit', () => children.delete(child))
  child.once('error', () => children.delete(child))
  return child
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  const until = performance.now() + READY_MS
  for (;;) {
    const isReady = await fetch(url, { signal: AbortSignal.timeout(2000) }).then((response) => response.ok, () => false)
    if (isReady) return
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > until) throw new Error(`${child.spawnfile} did not come up at ${url}: ${(complaints.get(child) ?? '').slice(-2000)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
