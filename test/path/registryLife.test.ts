/**
 * What surrounds the registry's handlers: a connection's beginning and end, an agent that falls silent, and a store that is away,
 * under both spellings.
 */
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { token } from '../harness/token.js'
import { openOffice, REPORTS, SPELLINGS, type Data, type Office } from './registry.js'

describe('a connection of the registry', () => {
  let office: Office
  beforeAll(async () => {
    office = await openOffice()
  }, 60_000)
  afterAll(() => office?.close(), 60_000)

  const subscriptions = async () => /^hubbub_subscriptions\{family="run"\} (\d+)$/m.exec((await ask(`${office.hub.url}/metrics`)).text)?.[1] ?? '0'
  const total = async () => (await ask(`${office.hub.url}/api/v1/websocket/status`, { as: token() })).body['total'] as number

  test('is acknowledged by its ids and its cursor before anything else, and no two have the same id', async () => {
    const [one, two] = [await office.hire({ unknown: true }), await office.hire({ unknown: true })]
    for (const { packets } of [one, two]) await eventually(() => packets.length >= 2, 'the cursor')
    expect(JSON.parse(one.packets[0]!.slice(1))).toEqual({ sid: one.socket.id, pid: expect.any(String) })
    expect(one.packets[1]).toMatch(/^2\["hub\.cursor","[^"]+"\]$/)
    expect(one.socket.id).not.toBe(two.socket.id)
  })

  test('counts from its beginning to its end, and so do its subscriptions', async () => {
    const before = await total()
    const viewer = await office.connect({ sub: 'page', role: 'viewer' })
    for (const topic of ['run:1', 'run:*']) await viewer.must('subscribe', { topics: [topic] })
    expect([await total(), await subscriptions()]).toEqual([before + 1, '2'])
    viewer.close()
    await eventually(async () => (await total()) === before && (await subscriptions()) === '0', 'neither being counted any more')
  })

  test('gets its delegations as mail with all of the order, of which those who watch the agent or the task hear only that it was offered', async () => {
    const coder = await office.hire()
    const watching = await office.connect({ sub: 'dashboard', role: 'viewer' })
    await watching.must('subscribe', { topics: ['*', `agent:${coder.id}`] })
    const order = { title: 'Mend it', parameters: { file: 'a.ts' }, deadline: '2099-01-01T00:00:00.000Z', priority: 'high', pipelineId: 'p', stage: 2, streamId: 's' }
    const lease = await office.delegate(coder, order)
    const { title: taskTitle, ...rest } = order
    const mail = coder.events.find(({ event }) => event.type === 'task.delegate')!.event
    expect(mail).toMatchObject({ topics: [`inbox:${coder.id}`], data: { ...lease, ...rest, taskTitle, taskType: 'work', agentId: coder.id, attempt: 1, metadata: { assignedAt: expect.any(String) } } })
    const heard = () => watching.events.map(({ event }) => event)
    await eventually(() => heard().some(({ type }) => type === 'task.delegated'), 'the offer')
    await coder.must('task.accepted', lease)
    await eventually(() => heard().some(({ type }) => type === 'task.accepted'), 'what came behind it')
    expect(heard().filter(({ type }) => type === 'task.delegate')).toEqual([])
  })
})

describe('an agent of the registry that falls silent', () => {
  let brief: Office
  beforeAll(async () => {
    brief = await openOffice({ HUBBUB_HEARTBEAT_MS: '100', HUBBUB_STALE_MS: '300', HUBBUB_OFFLINE_MS: '500' })
  }, 60_000)
  afterAll(() => brief?.close(), 60_000)

  test('has its connection ended for it; one that ended before by itself is not ended again', async () => {
    const watching = await brief.connect({ sub: 'dashboard', role: 'viewer' })
    await watching.must('subscribe', { topics: ['connection:*', 'agent:*'] })
    const [silent, left] = [await brief.hire(), await brief.hire()]
    const ids = [silent.socket.id, left.socket.id]
    left.close()
    const offline = (id: string) => watching.events.some(({ event: { type, data } }) => type === 'agent.status_changed' && (data as Data)['agentId'] === id && (data as Data)['status'] === 'offline')
    const ends = () => watching.events.filter(({ event }) => event.type === 'connection.closed').map(({ event }) => event.data as Data)
    await eventually(() => offline(silent.id) && offline(left.id) && ends().some(({ connectionId }) => connectionId === ids[0]), 'both being offline')
    const reasons = ends().map(({ connectionId, reason }) => [connectionId, reason])
    expect(reasons).toHaveLength(2)
    expect(reasons).toEqual(expect.arrayContaining([[ids[0], 'heartbeat timeout'], [ids[1], 'client disconnected']]))
    expect(silent.complaints.map(({ code }) => code)).toEqual(['TIMEOUT'])
  })
})

describe('while the store is away the registry', () => {
  let cut: Office
  beforeAll(async () => {
    cut = await openOffice({ HUBBUB_PUBLISH_TIMEOUT_MS: '500' })
  }, 60_000)
  afterAll(() => cut?.close(), 60_000)

  test.each(SPELLINGS)('answers under its %s that the outcome is unknown and that it is degraded, and takes each thing once when the store is back', async (_, { name, fields, event }) => {
    const coder = await cut.hire()
    const leases = await Promise.all(REPORTS.map(() => cut.delegate(coder)))
    const emitted = () => Promise.all([coder.call(name('agent.register'), fields({ maxTasks: 100 })), coder.call(name('agent.heartbeat'), {}), coder.call(name('agent.status_changed'), { status: 'idle' })])
    // With ids of their own, as whoever repeats something must have them.
    const reports = REPORTS.map((handler, place) => event(handler, { ...leases[place], progress: 1 }, { id: `${coder.id} ${handler}` }))
    const published = () => Promise.all(reports.map((report) => coder.call('publish', report)))

    await cut.redis.kill('SIGSTOP')
    const refused = await Promise.all([emitted(), published()])
    for (const answer of refused.flat()) expect(answer).toMatchObject({ ok: false, error: { code: 'OUTCOME_UNKNOWN', retryable: true } })
    expect(await coder.must(name('system.health_check'))).toMatchObject({ status: 'degraded', store: { kind: 'redis', ok: false, pingMs: null } })

    await cut.redis.kill('SIGCONT')
    await eventually(async () => (await coder.must(name('system.health_check')))['status'] === 'healthy', 'the store being back')
    for (const answer of [...(await emitted()), ...(await published())]) expect(answer).toMatchObject({ ok: true })
    const statuses = await Promise.all(leases.map(async ({ taskId }) => (await cut.find('tasks', taskId))['status']))
    expect(statuses.slice(0, 4)).toEqual(['completed', 'in_progress', 'failed', 'accepted'])
    await coder.mail(leases[4]!.taskId, 2)
  })
})
