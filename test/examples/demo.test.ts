/**
 * The demo, played fast by its own process against a real hub: at the end the hub's state is what the story tells, nothing was refused but
 * what had to be, and nothing stays behind. A listener on the stock client wrote down what anybody could have seen.
 */
import { resolve } from 'node:path'
import type { Agent, HubEvent, Kind, Pipeline, Run, Stream, Task } from '@hubbub/protocol'
import { applied, quietClient, type Said } from '../gateway/aguiClient.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { freePort } from '../harness/port.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { processesWith, startDemo, type Demo } from './demoProcess.js'

quietClient()

const { settingsFor } = (await import(resolve('examples/demo/settings.mjs'))) as { settingsFor: (speed: number) => Record<string, string> }

/** The hour in 24 s. */
const SPEED = 150
const SEED = 11
const AGENTS = [
  'coder-ada', 'coder-ben', 'coder-chen', 'coder-ravi', 'docs-ines', 'ops-jon', 'ops-kim', 'planner-iris', 'reviewer-gus', 'reviewer-hana', 'tester-eli', 'tester-fay',
]
const id = (name: string) => `${name}-${SEED}.1`

describe('an hour', () => {
  let hub: HubProcess
  let demo: Demo
  let seen: Sink
  const entities: { kind: Kind; id: string }[] = []

  beforeAll(async () => {
    hub = await startHub({ env: { ...settingsFor(SPEED), HUBBUB_GITHUB_SECRET: 'what GitHub signs with' } })
    seen = await stockClient(hub.url, { token: token({ role: 'viewer' }), topics: ['*'] })
    demo = startDemo('--once', '--speed', String(SPEED), '--seed', String(SEED), '--url', hub.url, '--token', token(), '--github-secret', 'what GitHub signs with')
    await demo.exited
    const topics = ['agent:*', 'task:*', 'pipeline:*', 'stream:*', 'checkpoint:*', 'run:*'].join(',')
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const { body } = await ask(`${hub.url}/api/v1/snapshot?topics=${topics}${after === undefined ? '' : `&after=${encodeURIComponent(after)}`}`, { as: token() })
      entities.push(...(body['entities'] as typeof entities))
      after = body['next'] as string | undefined
    }
  }, 120_000)
  afterAll(async () => {
    seen?.close()
    await hub?.stop()
  })

  const list = <T>(kind: Kind) => entities.filter((entity) => entity.kind === kind) as unknown as T[]
  const task = (name: string) => list<Task>('task').find((one) => one.id === id(name))!
  const events = (type: string) => seen.events.filter(({ event }) => event.type === type).map(({ event }) => event as HubEvent<Record<string, unknown>>)
  const about = (type: string, data: Record<string, unknown>) => events(type).filter((event) => Object.entries(data).every(([name, value]) => event.data[name] === value))

  // Twice for a task given back, and once more if the one who died had not marked its mail as read.
  test('ends with a summary, and nothing refused but what had to be', async () => {
    expect([await demo.exited, demo.stderr()]).toEqual([{ code: 0, signal: null }, ''])
    expect(demo.stdout()).toContain(`${hub.url}/#token=`)
    expect(demo.stdout()).toMatch(new RegExp(`hour 1: ${id('checkout-release')} completed, ${id('nightly-regression')} failed, ${id('docs-site')} completed; 29 tasks: 26 completed, 2 failed, 1 cancelled; .* refused: [23] as intended, 0 besides\n$`))
    expect(seen.gaps).toEqual([])
  })

  test('twelve agents of six types were seen, with what they can do and their load', () => {
    const agents = list<Agent>('agent')
    expect(agents.map((agent) => agent.id).toSorted()).toEqual(AGENTS)
    expect(new Set(agents.map(({ agentType }) => agentType)).size).toBe(6)
    for (const { metrics, capabilities } of agents) {
      expect(metrics).toEqual({ cpuUsage: expect.any(Number), memoryUsage: expect.any(Number), tasksCompleted: expect.any(Number) })
      expect(capabilities.length).toBeGreaterThan(1)
    }
  })

  test('pipelines, their steps and streams stand as told', () => {
    const pipelines = Object.fromEntries(list<Pipeline>('pipeline').map((pipeline) => [pipeline.id, pipeline]))
    expect(pipelines[id('checkout-release')]).toMatchObject({ status: 'completed', totalTasks: 15, completedTasks: 14, cancelledTasks: 1, managedTasks: 15 })
    expect(pipelines[id('nightly-regression')]).toMatchObject({ status: 'failed', totalTasks: 7, failedTasks: 2, error: '2 of 7 tasks failed.' })
    expect(pipelines[id('docs-site')]).toMatchObject({ status: 'completed', totalTasks: 7, managedTasks: 6, artifacts: [{ name: 'site' }, { name: 'sitemap.xml' }] })
    expect(pipelines[id('checkout-release')]!.steps.map(({ step }) => step)).toEqual(['Plan', 'Build', 'Verify', 'Review', 'Ship'])
    expect(list<Stream>('stream').map((stream) => [stream.id, stream.status])).toEqual(
      expect.arrayContaining([[id('cart'), 'completed'], [id('payments'), 'completed'], [id('suites'), 'completed'], [id('pages'), 'completed']]),
    )
  })

  test('whoever died lost its task, and another one finished it from the checkpoint or anew', () => {
    const [lost] = about('task.lease_lost', { agentId: 'coder-ravi' })
    expect(lost!.data['reason']).toMatch(/offline|sign|lost/)
    expect(about('agent.status_changed', { agentId: 'coder-ravi', status: 'offline' })).toHaveLength(1)
    const taken = list<Task>('task').find((one) => one.id === lost!.data['taskId'])!
    expect(taken).toMatchObject({ id: id('coupon-rules'), status: 'completed', agentId: 'coder-ben', attempt: 2 })
    expect(about('agent.log', { agentId: 'coder-ben', taskId: taken.id, level: 'warn' })).toHaveLength(1)
    // And it came back.
    expect(events('agent.registered').filter(({ data }) => data['agentId'] === 'coder-ravi')).toHaveLength(2)
  })

  test('an agent hangs and goes on, a stream is blocked and goes on, a task rests and goes on', () => {
    expect(about('agent.status_changed', { agentId: 'ops-jon', status: 'stalled' }).length).toBeGreaterThan(0)
    expect(task('load-test')).toMatchObject({ status: 'completed', agentId: 'ops-jon' })
    expect(about('stream.blocked', { streamId: id('payments') }).length).toBeGreaterThan(0)
    expect(statuses('payment-retries')).toEqual(['delegated', 'accepted', 'in_progress', 'blocked', 'in_progress', 'completed'])
    expect(statuses('order-events')).toEqual(['delegated', 'accepted', 'in_progress', 'paused', 'in_progress', 'completed'])
  })

  test('a task is refused twice, tried by a third and failed; what waited for it fails, too', () => {
    const { tries, status, error } = task('browser-matrix')
    expect([tries.map(({ reason }) => reason), status, error]).toEqual([Array(2).fill('rejected: no free seats on the browser farm'), 'failed', expect.stringContaining('14 of 212')])
    expect(about('task.failed', { taskId: id('regression-report'), cause: 'dependency_failed' })).toHaveLength(1)
    expect(task('gift-cards')).toMatchObject({ status: 'cancelled' })
  })

  test('one late result lies among the dead letters, and no other', async () => {
    const { body } = await ask(`${hub.url}/api/v1/dead`, { as: token({ projects: ['*'], project: 'default' }) })
    expect(body['letters']).toEqual([expect.objectContaining({ code: 'TASK_COMPLETION_ERROR' })])
  })

  test('tests go red, green and refactor, and coverage climbs', () => {
    const phases = about('tdd.phase_changed', { taskId: id('cart-totals') }).map(({ data }) => data as { currentPhase: string; coverage: { lines: number } })
    expect(phases.map(({ currentPhase }) => currentPhase)).toEqual(['red', 'green', 'refactor', 'red', 'green', 'refactor'])
    const lines = phases.map(({ coverage }) => coverage.lines)
    expect(lines).toEqual(lines.toSorted((a, b) => a - b))
    expect(lines.at(-1)! - lines[0]!).toBeGreaterThan(10)
    expect(list('checkpoint').length).toBeGreaterThan(8)
    expect(events('agent.handoff').length).toBeGreaterThan(3)
  })

  test('GitHub\'s deliveries reached the tasks that they are about', () => {
    const topics = (type: string) => new Set(events(type).flatMap((event) => event.topics.filter((topic) => topic.startsWith('task:'))))
    const branches = ['cart-totals', 'payment-retries', 'order-events', 'coupon-rules', 'three-d-secure', 'tax-rounding', 'api-reference', 'quickstart', 'webhook-guide']
    for (const type of ['github.push', 'github.pr_updated', 'github.workflow_updated']) {
      expect([...topics(type)]).toEqual(expect.arrayContaining(branches.map((name) => `task:${id(name)}`)))
    }
    const merged = events('github.pr_updated').filter(({ data }) => data['merged'] === true)
    expect(merged.map(({ topics: of }) => of.find((topic) => topic.startsWith('task:')))).toContain(`task:${id('cart-totals')}`)
    const ended = events('github.workflow_updated').filter(({ data, topics: of }) => data['kind'] === 'workflow_run' && data['status'] === 'completed' && of.includes(`task:${id('cart-totals')}`))
    expect(ended.at(-1)!.data['conclusion']).toBe('success')
  })

  test('each run ended, and AG-UI\'s own client takes it', async () => {
    const runs = list<Run>('run')
    expect(runs.length).toBeGreaterThan(10)
    expect(runs.filter(({ status }) => status !== 'finished').map((run) => [run.id, run.status])).toEqual(
      // The one who died had no time to end its own, and whoever was called off said so.
      runs.filter(({ taskId }) => taskId === id('gift-cards') || taskId === id('coupon-rules')).filter(({ status }) => status !== 'finished').map((run) => [run.id, run.status]),
    )
    const told = seen.events.filter(({ event }) => event.topics.includes(`run:run-${id('cart-totals')}-1`)).map(({ event }) => event.data as Said)
    const { messages, state } = await applied(told)
    expect(messages.map(({ role }) => role)).toEqual(['user', 'reasoning', 'assistant', 'tool', 'assistant'])
    expect(state).toMatchObject({ step: 'done', findings: [{ tool: expect.any(String) }] })
  })

  test('keys are revoked, and no process stays', async () => {
    const { body } = await ask(`${hub.url}/api/v1/keys`, { as: token({ projects: ['*'], project: 'default' }) })
    const keys = body['keys'] as { revokedAt?: number }[]
    expect([keys.length, keys.every(({ revokedAt }) => revokedAt !== undefined)]).toEqual([13, true])
    expect(processesWith(hub.url)).toEqual([])
  })

  function statuses(name: string): unknown[] {
    return about('task.status_changed', { taskId: id(name) }).map(({ data }) => data['newStatus']).filter((status) => status !== 'pending')
  }
})

describe('a hub of its own', () => {
  test('is there for as long as the demo; Ctrl-C ends everything in order', async () => {
    const port = await freePort()
    const demo = startDemo('--port', String(port), '--speed', '60', '--seed', '12')
    const admin = await eventually(() => /#token=(\S+)/.exec(demo.stdout())?.[1], 'the address of the dashboard', 30_000)
    const seenAgents = async () => ((await ask(`http://127.0.0.1:${port}/api/v1/agents`, { as: admin })).body['items'] as { id: string }[]).length
    await eventually(async () => (await seenAgents()) === 12, 'twelve agents', 30_000)
    demo.signal('SIGINT')
    expect([await demo.exited, demo.stderr()]).toEqual([{ code: 0, signal: null }, ''])
    expect(demo.stdout()).toContain('stopping in order')
    expect(processesWith(String(port))).toEqual([])
  }, 60_000)

  test('ends with a demo that is killed, and so does the agent that is a process', async () => {
    const port = await freePort()
    const demo = startDemo('--port', String(port), '--speed', '60')
    await eventually(() => processesWith(String(port)).length === 3, 'demo, hub and agent', 30_000)
    demo.signal('SIGKILL')
    await eventually(() => processesWith(String(port)).length === 0, 'the end of all three', 30_000)
  }, 60_000)

  test('says what is wrong with its port', async () => {
    const demo = startDemo('--port', '99999')
    expect([(await demo.exited).code, demo.stderr()]).toEqual([2, expect.stringContaining('--port: \'99999\' is not allowed; allowed: a whole number from 0 to 65535')])
  })
})
