/** What the hub tells of itself, with real processes that are killed, frozen and stopped while others keep watch. */
import type { Overview } from '@hubbub/protocol'
import { createClient } from 'redis'
import { ask } from '../harness/ask.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import type { HubProcess } from '../harness/hub.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'

const OPERATOR = token({ sub: 'root', projects: ['*'] })
/** A process is silent after 1.5 s, a lease ends after one. */
const FAST = { HUBBUB_VITALS_MS: '200', HUBBUB_WORKER_MS: '1500', HUBBUB_LEASE_MS: '1000', HUBBUB_LEASE_RENEW_MS: '300', HUBBUB_SYSTEM_PROJECT: 'ops' }

let cluster: Cluster
let told: Sink
afterEach(async () => {
  told?.close()
  await cluster?.stop('kill')
})

async function start(workers: number, processors: number, env: Record<string, string> = {}): Promise<void> {
  cluster = await startCluster({ workers, processors, partitions: 4, env: { ...FAST, ...env } })
  told = await watchFrom(cluster.workers[0]!)
  await eventually(async () => (await overviewOf(cluster.workers[0]!)).processes.length === workers + processors, 'all to report')
}

function watchFrom({ url }: HubProcess): Promise<Sink> {
  return stockClient(url, { token: token({ sub: 'ops', role: 'viewer', project: 'ops' }), topics: ['system'], since: 'all' })
}

async function overviewOf({ url }: HubProcess): Promise<Overview> {
  return (await ask(`${url}/api/v1/overview`, { as: OPERATOR })).body['overview'] as Overview
}

async function idOf(asked: HubProcess, of: HubProcess): Promise<string> {
  const { processes } = await overviewOf(asked)
  return processes.find(({ node }) => node.includes(`-${of.pid}-`))!.id
}

async function watchHolder(): Promise<string> {
  const client = createClient({ url: cluster.redis.url })
  await client.connect()
  try {
    return await eventually(() => client.get('hubbub:{vitals}:watch'), 'somebody to keep watch')
  } finally {
    client.destroy()
  }
}

interface Line {
  alert: string
  status: string
  component?: string
}

const alerts = (): Line[] => told.events.filter(({ type }) => type === 'system.alert').map(({ event }) => event.data as Line)
const linesOf = (name: string) => alerts().filter(({ alert }) => alert === name).map(({ status, component }) => `${status} ${component ?? ''}`.trim())
const notices = () => told.events.filter(({ type }) => type === 'system.notification').map(({ event }) => (event.data as { title: string; component: string }))
const tells = (name: string, line: string) => eventually(() => linesOf(name).includes(line), `${name}: ${line}; there is ${JSON.stringify(alerts())}`, 20_000)

/** Long enough for whoever would tell it a second time: the watch looks several times. */
async function looks(worker: HubProcess, count = 5): Promise<void> {
  const seen = new Set<string>()
  await eventually(async () => seen.add((await overviewOf(worker)).processes.map(({ seenAt }) => seenAt).join()).size > count, 'some more looks', 20_000, 100)
}

test('a killed worker and a killed processor are told once each while two workers look, stand in the overview, and are over when others come', async () => {
  await start(3, 2)
  const [witness, , victim] = cluster.workers
  const worker = await idOf(witness!, victim!)
  await victim!.kill('SIGKILL')
  await tells('process-lost', `firing worker:${worker}`)
  const processor = await idOf(witness!, cluster.processors[0]!)
  await cluster.processors[0]!.kill('SIGKILL')
  await tells('process-lost', `firing processor:${processor}`)
  const { processes, alerts: standing } = await overviewOf(witness!)
  expect(processes.filter(({ status }) => status === 'silent').map(({ id }) => id).sort()).toEqual([worker, processor].sort())
  expect(standing!.map(({ alert, component, severity }) => [alert, component, severity])).toEqual([['process-lost', `worker:${worker}`, 'critical'], ['process-lost', `processor:${processor}`, 'critical']])
  await looks(witness!)
  expect(linesOf('process-lost')).toEqual([`firing worker:${worker}`, `firing processor:${processor}`])

  const [newWorker] = [await cluster.addWorker(), await cluster.addProcessor()]
  await tells('process-lost', `resolved worker:${worker}`)
  await tells('process-lost', `resolved processor:${processor}`)
  await looks(witness!)
  expect(linesOf('process-lost')).toHaveLength(4)
  expect((await overviewOf(witness!)).alerts).toEqual([])
  const came = await idOf(witness!, newWorker)
  expect(notices().map(({ title, component }) => `${title} ${component}`)).toContain(`Process started worker:${came}`)
  // The other project of the same hub hears nothing of it.
  expect((await ask(`${witness!.url}/api/v1/history?topics=system&since=all&project=default`, { as: OPERATOR })).body['events']).toEqual([])
}, 90_000)

test('the process that keeps watch is killed like any other: its successor tells', async () => {
  await start(2, 1)
  const [witness] = cluster.workers
  // Whichever of the others it is: both go, one after the other, so the watch is lost at least once unless the witness has it.
  const ids = [await idOf(witness!, cluster.workers[1]!), await idOf(witness!, cluster.processors[0]!)]
  await cluster.workers[1]!.kill('SIGKILL')
  await tells('process-lost', `firing worker:${ids[0]!}`)
  await cluster.processors[0]!.kill('SIGKILL')
  // Without a processor nothing is committed: what was told waits in its source stream.
  await eventually(async () => (await overviewOf(witness!)).alerts!.some(({ component }) => component === `processor:${ids[1]!}`), 'the processor to be missed', 20_000)
  await eventually(async () => (await overviewOf(witness!)).alerts!.some(({ alert }) => alert === 'partition-unowned'), 'partitions without an owner', 20_000)
  await cluster.addProcessor()
  await tells('process-lost', `firing processor:${ids[1]!}`)
  await tells('process-lost', `resolved processor:${ids[1]!}`)
  await eventually(() => linesOf('partition-unowned').length === 2, 'the partitions to be told', 20_000)
  expect(linesOf('partition-unowned')).toEqual(['firing', 'resolved'])
  expect(linesOf('process-lost')).toEqual([`firing worker:${ids[0]!}`, `firing processor:${ids[1]!}`, `resolved processor:${ids[1]!}`])
}, 90_000)

test('a worker that stops in order is a notice and no alert; one that is frozen is lost, and found when it goes on', async () => {
  await start(3, 1)
  const [witness, stopped, frozen] = cluster.workers
  const [first, second] = [await idOf(witness!, stopped!), await idOf(witness!, frozen!)]
  expect(await stopped!.stop()).toBe(0)
  await eventually(() => notices().some(({ title, component }) => title === 'Process stopped' && component === `worker:${first}`), 'the notice')
  await eventually(async () => (await overviewOf(witness!)).processes.every(({ id }) => id !== first), 'the overview without it')
  await frozen!.kill('SIGSTOP')
  await tells('process-lost', `firing worker:${second}`)
  await frozen!.kill('SIGCONT')
  await tells('process-lost', `resolved worker:${second}`)
  await looks(witness!)
  expect(linesOf('process-lost')).toEqual([`firing worker:${second}`, `resolved worker:${second}`])
}, 90_000)

test('the watch itself is frozen: another one takes it and misses it, and what it does when it goes on is told by nobody twice', async () => {
  await start(3, 2)
  const holder = await watchHolder()
  const all = [...cluster.workers, ...cluster.processors]
  const watcher = all.find(({ pid }) => holder.includes(`-${pid}-`))!
  const witness = cluster.workers.find((worker) => worker !== watcher)!
  told.close()
  told = await watchFrom(witness)
  const role = cluster.workers.includes(watcher) ? 'worker' : 'processor'
  await watcher.kill('SIGSTOP')
  await tells('process-lost', `firing ${role}:${holder}`)
  expect(await watchHolder()).not.toBe(holder)
  await watcher.kill('SIGCONT')
  await tells('process-lost', `resolved ${role}:${holder}`)
  await looks(witness)
  expect(linesOf('process-lost')).toEqual([`firing ${role}:${holder}`, `resolved ${role}:${holder}`])
}, 90_000)

test('Redis that was frozen for longer than anybody may be silent: told once when it is back, to those connected at once, and nobody is taken for lost', async () => {
  await start(2, 1)
  await cluster.redis.kill('SIGSTOP')
  const signal = await eventually(() => told.signals.find(({ name }) => name === 'system.alert'), 'the signal', 20_000)
  expect(signal).toMatchObject({ topic: 'system', source: '/hub', data: { alert: 'store-unreachable', status: 'firing', severity: 'critical' } })
  await cluster.redis.kill('SIGCONT')
  await tells('store-unreachable', 'resolved store')
  await looks(cluster.workers[0]!, 12)
  expect(alerts().map(({ alert, status }) => `${alert} ${status}`)).toEqual(['store-unreachable resolved'])
  expect(alerts()[0]).toMatchObject({ unit: 'ms', value: expect.any(Number) })
}, 90_000)

test('a whole hub that is killed and started anew misses nobody', async () => {
  await start(2, 1)
  const { redis } = cluster
  await Promise.all([...cluster.workers, ...cluster.processors].map((hub) => hub.kill('SIGKILL')))
  const anew = await startCluster({ redis, workers: 2, processors: 1, partitions: 4, env: FAST })
  try {
    told = await watchFrom(anew.workers[0]!)
    await eventually(async () => (await overviewOf(anew.workers[0]!)).processes.filter(({ status }) => status === 'silent').length === 3, 'the old ones to be silent', 20_000)
    await looks(anew.workers[0]!, 8)
    expect(linesOf('process-lost')).toEqual([])
  } finally {
    await anew.stop('kill')
  }
}, 90_000)
