/** Snapshots of topics, over HTTP and over sockets, and the subscription that goes on where a snapshot ends. */
import { StateView, type Answer, type EntityView, type SnapshotResult, type SubscribeResult } from '@hubbub/protocol'
import { eventually } from '../harness/eventually.js'
import { tap, type Tap } from '../harness/tap.js'
import { token, type Claims } from '../harness/token.js'
import { codeOf, only, SERVICE, startStateHub, VIEWER, type StateHub } from './stateHub.js'

const created = (taskId: string, more: object = {}) => ({ type: 'task.created', data: { taskId, ...more } })
const named = ({ entities }: Pick<SnapshotResult, 'entities'>) => entities.map(({ kind, id }) => `${kind} ${id}`).toSorted()
const offsetOf = (cursor: string) => cursor.slice(cursor.indexOf('.') + 1)

describe.each(['memory', 'redis'] as const)('on the %s store', (kind) => {
  let hub: StateHub
  const take = (topics: string, more = '', as: Claims = VIEWER) => hub.get<SnapshotResult>(`/api/v1/snapshot?topics=${encodeURIComponent(topics)}${more}`, as)
  const connect = (as: Claims = VIEWER): Promise<Tap> => tap(hub.url, { auth: { token: token(as) } })

  beforeAll(async () => {
    hub = await startStateHub(kind)
    await hub.publish(
      created('t1', { pipelineId: 'p1', stage: 1 }),
      created('t2', { pipelineId: 'p1', stage: 2 }),
      created('t3', { streamId: 's1' }),
      created('x1', { pipelineId: 'q1' }),
      created('alone'),
      { type: 'checkpoint.created', data: { checkpointId: 'c1', taskId: 't1' } },
      { type: 'checkpoint.created', data: { checkpointId: 't1-old' } },
      { type: 'agui.run_started', data: { type: 'RUN_STARTED', threadId: 't', runId: 'r1' }, topics: ['run:r1'] },
    )
    await hub.ask('/api/v1/tasks', { method: 'POST', as: SERVICE, json: { id: 'm1', type: 'fix', agentId: 'ann' } })
    await hub.ask('/api/v1/task-types/fix', { method: 'PUT', as: SERVICE, json: { resultSchema: {} } })
    // Offered to an agent that is away: it waits in its mailbox.
    await eventually(async () => (await hub.get('/api/v1/tasks/m1'))['status'] === 'delegated', 'the delegation')
  }, 60_000)
  afterAll(() => hub.close())

  test.each([
    ['task:t1', ['task t1']],
    ['task:none', []],
    ['pipeline:p1', ['pipeline p1', 'task t1', 'task t2']],
    ['pipeline:p1:stage:2', ['task t2']],
    ['pipeline:p*', ['pipeline p1', 'task t1', 'task t2']],
    ['pipeline:*', ['pipeline p1', 'pipeline q1', 'task t1', 'task t2', 'task x1']],
    ['stream:s1', ['stream s1', 'task t3']],
    ['stream:*', ['stream s1', 'task t3']],
    ['checkpoint:c1', ['checkpoint c1']],
    ['checkpoint:t1', ['checkpoint c1']],
    ['checkpoint:t1*', ['checkpoint c1', 'checkpoint t1-old']],
    ['checkpoint:*', ['checkpoint c1', 'checkpoint t1-old']],
    ['run:r1', ['run r1']],
    ['project', ['task_type fix']],
    ['task:t*', ['task t1', 'task t2', 'task t3']],
    ['task:*', ['task alone', 'task m1', 'task t1', 'task t2', 'task t3', 'task x1']],
    ['system,thread:t,repo:octo/hub', []],
    ['task:t1,task:t1*,pipeline:p1,pipeline:*', ['pipeline p1', 'pipeline q1', 'task t1', 'task t2', 'task x1']],
  ])('%s holds %j', async (topics, expected) => {
    expect(named(await take(topics))).toEqual(expected)
  })

  test('* holds every kind that there is', async () => {
    expect(new Set((await take('*')).entities.map((entity) => entity.kind))).toEqual(new Set(['task', 'pipeline', 'stream', 'checkpoint', 'run', 'task_type']))
  })

  test('a mailbox holds the tasks that wait in it, for its agent and admins', async () => {
    expect(named(await take('inbox:ann', '', { sub: 'ann', role: 'agent' }))).toEqual(['task m1'])
    expect(named(await take('inbox:*', '', {}))).toEqual(['task m1'])
    expect(named(await take('inbox:bob', '', {}))).toEqual([])
    expect(codeOf(await hub.ask('/api/v1/snapshot?topics=inbox:ann', { as: VIEWER }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
  })

  test('pages hold each entity once, and the first one\'s cursor', async () => {
    const topics = 'task:t1,pipeline:*,stream:*,checkpoint:t1*'
    const whole = await take(topics)
    const seen: EntityView[] = []
    let pages = 0
    for (let after = ''; ; pages++) {
      const page = await take(topics, `&limit=2${after}`)
      expect([page.entities.length <= 2, page.cursor]).toEqual([true, whole.cursor])
      seen.push(...page.entities)
      if (page.next === undefined) break
      after = `&after=${encodeURIComponent(page.next)}`
    }
    expect(pages).toBeGreaterThan(2)
    expect([...new Set(named({ entities: seen }))]).toEqual(named(whole))
    // An entity that two topics name may stand on two pages, but never twice on one.
    expect(seen.length - whole.entities.length).toBeLessThanOrEqual(1)
  })

  test('I6: topics that are not granted are refused, and another project is empty', async () => {
    for (const topics of ['task:cd1', 'task:*', '*', 'task:ab1,pipeline:p1']) {
      expect([topics, ...codeOf(await hub.ask(`/api/v1/snapshot?topics=${topics}`, { as: only('subscribe:task:ab*') }))]).toEqual([topics, 403, 'INSUFFICIENT_PERMISSIONS'])
    }
    expect((await take('*', '', { ...VIEWER, project: 'other' })).entities).toEqual([])
    expect((await take('task:t1', '', { ...VIEWER, project: 'other' })).entities).toEqual([])
  })

  test('what is no question is refused', async () => {
    for (const [query, code] of [['', 'INVALID_MESSAGE'], ['topics=nonsense', 'INVALID_TOPIC'], ['topics=*&limit=0', 'INVALID_MESSAGE'], ['topics=*&limit=1001', 'INVALID_MESSAGE'], ['topics=*&after=x', 'INVALID_MESSAGE'], ['topics=task:t1&after=e.1-1~OSBy', 'INVALID_MESSAGE']]) {
      expect([query, ...codeOf(await hub.ask(`/api/v1/snapshot?${query}`, { as: VIEWER }))]).toEqual([query, 400, code])
    }
  })

  test('over a socket it is the same, and refusals are answers', async () => {
    const viewer = await connect()
    const first = await viewer.must<SnapshotResult>('snapshot', { topics: ['task:*'], limit: 4 })
    const second = await viewer.must<SnapshotResult>('snapshot', { topics: ['task:*'], limit: 4, after: first.next })
    expect([first.entities.length, second.entities.length, second.next]).toEqual([4, 2, undefined])
    expect(await viewer.call('snapshot', { topics: ['inbox:ann'] })).toMatchObject({ ok: false, error: { code: 'INSUFFICIENT_PERMISSIONS' } })
    expect(await viewer.call('snapshot', { topics: [] })).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE' } })
    expect(await viewer.call('snapshot')).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE' } })
  })

  test('a subscription with a snapshot goes on where it ends: nothing is missed and nothing comes twice', async () => {
    const topics = ['pipeline:busy']
    await hub.publish(created('b0', { pipelineId: 'busy' }))
    // Work goes on all the while that others come to watch it.
    const end = new AbortController()
    const work = (async () => {
      for (let n = 1; !end.signal.aborted; n++) await hub.publish(created(`b${n}`, { pipelineId: 'busy' }), { type: 'task.progress', data: { taskId: `b${n - 1}`, progress: n % 100 } })
    })()
    const views: { view: StateView; viewer: Tap }[] = []
    for (let n = 0; n < 8; n++) {
      const viewer = await connect()
      const answer = await viewer.must<SubscribeResult>('subscribe', { topics, snapshot: true })
      expect([answer.snapshot!.next, answer.more]).toEqual([undefined, false])
      const view = new StateView(topics, answer.snapshot!.entities)
      for (const { event, cursor } of answer.events ?? []) view.apply(event, offsetOf(cursor))
      views.push({ view, viewer })
    }
    end.abort()
    await work
    await hub.publish({ id: 'the-end', type: 'custom.end', data: {}, topics })
    const state = (entities: Iterable<EntityView>) => [...entities].toSorted((a, b) => (`${a.kind} ${a.id}` < `${b.kind} ${b.id}` ? -1 : 1))
    const truth = state((await take('pipeline:busy')).entities)
    expect(truth.length).toBeGreaterThan(8)
    for (const { view, viewer } of views) {
      await viewer.hears('the-end')
      expect(new Set(viewer.ids()).size).toBe(viewer.ids().length)
      for (const { event, cursor } of viewer.events) view.apply(event, offsetOf(cursor))
      expect(state([...view.list('pipeline'), ...view.list('task')])).toEqual(truth)
    }
  })

  test('one that asks for both a snapshot and since, or for what it may not see, is refused', async () => {
    const viewer = await connect()
    const refused = async (request: object): Promise<Answer<SubscribeResult>> => await viewer.call<SubscribeResult>('subscribe', request)
    expect(await refused({ topics: ['task:t1'], snapshot: true, since: 'all' })).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE', details: { path: 'snapshot' } } })
    expect(await refused({ topics: ['task:t1'], snapshot: 'yes' })).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE' } })
    expect(await refused({ topics: ['inbox:ann'], snapshot: true })).toMatchObject({ ok: false, error: { code: 'INSUFFICIENT_PERMISSIONS' } })
    expect(await viewer.must('subscribe', { topics: ['task:t1'], snapshot: false })).not.toHaveProperty('snapshot')
  })
})
