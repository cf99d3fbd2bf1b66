/** Prometheus' own program reads what a real hub exports after real traffic, and plays the alerts' cases. */
import { spawn } from 'node:child_process'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { leash } from '../harness/leash.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { stockClient } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { declaredMetrics } from './declared.js'
import { promtoolProgram } from './program.js'

const promtool = promtoolProgram()

interface Ended {
  code: number | null
  output: string
}

async function check(args: readonly string[], input = ''): Promise<Ended> {
  if (!promtool) throw new Error('there is no promtool: `npm test` brings one where there is apt; else install Prometheus, or name one with PROMTOOL')
  const child = spawn(promtool, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  leash(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, output }
}

describe('the alert rules', () => {
  test('are what Prometheus takes', async () => {
    const { code, output } = await check(['check', 'rules', '--lint=all', '--lint-fatal', 'k8s/monitoring/rules.yaml'])
    expect([code, output]).toEqual([0, expect.anything()])
  })

  test('fire in their cases, and only then', async () => {
    const { code, output } = await check(['test', 'rules', 'test/monitoring/alerts.test.yaml'])
    expect([code, output]).toEqual([0, expect.anything()])
  }, 60_000)
})

describe('the metrics page of a hub that worked', () => {
  let redis: RedisProcess
  let hub: HubProcess
  let page = ''

  beforeAll(async () => {
    redis = await startRedis()
    hub = await startHub({ redis: redis.url })
    await work(hub)
    page = await eventually(async () => {
      const text = await (await fetch(`${hub.url}/metrics`)).text()
      return SEEN.every((line) => line.test(text)) && text
    }, 'every kind of traffic on the metrics page')
  }, 60_000)
  afterAll(async () => {
    await hub?.stop()
    await redis?.stop()
  })

  test('is read by Prometheus\' own parser, which finds no fault with what is ours', async () => {
    const { code, output } = await check(['check', 'metrics'], page)
    // 3: it was read, and some name is not as Prometheus would have it. Those of prom-client's own are known to dashboards as they are.
    expect([0, 3]).toContain(code)
    expect(output.split('\n').filter((line) => line !== '' && !line.startsWith('nodejs_active_'))).toEqual([])
  })

  test('has every metric that the hub declares, and no other', () => {
    const named = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`)
    expect(named.sort()).toEqual(declaredMetrics().map(({ name, type }) => `${name} ${type}`).sort())
  })

  test('has no series that a client could name', () => {
    expect(page).not.toMatch(/no_such_type|attacker|custom\.made_up|secret-path/)
    expect(page).toMatch(/hubbub_events_out_total\{type="custom\.\{name\}"\} 1\b/)
    expect(page).toMatch(/hubbub_http_requests_total\{group="other",status="4xx"\} 2\b/)
  })
})

/** What the traffic must have left. */
const SEEN = [
  /^hubbub_events_in_total\{type="task\.progress"\} 20$/m, /^hubbub_events_out_total\{type="task\.progress"\} 20$/m, /^hubbub_rejections_total\{code="UNKNOWN_TYPE"\} 1$/m,
  /^hubbub_info\{version="[^"]+",role="all",node="[^"]+"\} 1$/m, /^hubbub_store_up 1$/m, /^hubbub_partitions_unowned 0$/m, /^hubbub_workers_alive 1$/m, /^hubbub_commit_latency_seconds_count [1-9]/m,
  /^hubbub_http_requests_total\{group="events",status="2xx"\} 21$/m, /^hubbub_processor_lag_entries\{partition="3"\} 0$/m, /^hubbub_subscriptions\{family="\*"\} 1$/m,
]

async function work(hub: HubProcess): Promise<void> {
  const reader = await stockClient(hub.url, { token: token(), topics: ['*'] })
  const publish = (event: object) => fetch(`${hub.url}/api/v1/events`, { method: 'POST', headers: { authorization: `Bearer ${token()}` }, body: JSON.stringify(event) })
  for (let progress = 1; progress <= 20; progress++) await publish({ type: 'task.progress', data: { taskId: 'T-1', progress } })
  await publish({ type: 'custom.made_up', topics: ['project'], data: {} })
  await publish({ type: 'no_such_type.attacker', data: {} })
  await fetch(`${hub.url}/secret-path/1`)
  await fetch(`${hub.url}/secret-path/2`)
  await reader.holds(21)
}
