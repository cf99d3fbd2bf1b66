/** A machine of several workers on a Redis of its own, as an operator starts it. */
import { readFileSync } from 'node:fs'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubOptions, type HubProcess } from '../harness/hub.js'
import { token } from '../harness/token.js'

export interface Machine extends HubProcess {
  /** Process ids at the start. */
  workers: number[]
  processors: number[]
  /** Where all processes are spoken for. */
  operator: string
}

/** Few lines, a dead processor's partitions free soon; and rates do not stand in the way of a test's hundreds. */
const CALM = { HUBBUB_LOG_LEVEL: 'warn', HUBBUB_LEASE_MS: '2000', HUBBUB_LEASE_RENEW_MS: '500', HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_FAMILY_RATES: '*=1000000' }

export async function startMachine(workers: number, redis: string, { args = [], env = {}, ...rest }: HubOptions & { adminPort: number }): Promise<Machine> {
  const hub = await startHub({ ...rest, redis, args: ['--workers', String(workers), '--json', ...args], env: { ...CALM, HUBBUB_ADMIN_PORT: String(rest.adminPort), ...env } })
  const told = JSON.parse(/^\{.*\}$/m.exec(hub.stdout())![0]) as Pick<Machine, 'workers' | 'processors' | 'operator'>
  return Object.assign(hub, told)
}

/** Value of each series of a metric, by the `node` that it is of. */
export async function figureOf(machine: Machine, metric: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${machine.operator}/metrics`)).text()
  const found: Record<string, number> = {}
  for (const [, labels, value] of text.matchAll(new RegExp(`^${metric}\\{(.*)\\} (\\S+)$`, 'gm'))) {
    const node = /node="[^"]*?-([wp]\d+(?:\.\d+)?)"/.exec(labels!)![1]!
    found[node] = (found[node] ?? 0) + Number(value)
  }
  return found
}

/** Seats whose processes say that they are ready. */
export async function readySeats(machine: Machine): Promise<string[]> {
  const body = (await (await fetch(`${machine.operator}/health/ready`)).json()) as { processes?: Record<string, string>; error?: { details: { processes: Record<string, string> } } }
  const processes = body.processes ?? body.error!.details.processes
  return Object.keys(processes).filter((seat) => processes[seat] === 'ready')
}

/** Processes of whom one is the parent. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

export function isAlive(pid: number): boolean {
  try {
    // A zombie is gone, too: it only waits for its parent to hear of it.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

export async function publish(machine: { url: string }, id: string, topics: string[] = ['project']): Promise<void> {
  await eventually(async () => {
    const response = await fetch(`${machine.url}/api/v1/events`, { method: 'POST', headers: { authorization: `Bearer ${token()}` }, body: JSON.stringify({ id, type: 'custom.told', topics, data: {} }) })
    return response.ok
  }, `publish of ${id}`)
}
