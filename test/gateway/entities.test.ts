/** What the hub knows, read over HTTP: lists, filters, pages, single entities, and what each caller may see of it. */
import type { EntityView } from '@hubbub/protocol'
import { startHttpHub } from './httpHub.js'
import { codeOf, only, SERVICE, startStateHub, VIEWER, type StateHub } from './stateHub.js'

interface List {
  ok: boolean
  items: EntityView[]
  next?: string
  cursor: string
}

let hub: StateHub
const idsOf = ({ items }: List) => items.map(({ id }) => id)
const list = (path: string, as = VIEWER) => hub.get<List>(`/api/v1/${path}`, as)
const ids = async (path: string, as = VIEWER) => idsOf(await list(path, as))

/** Follows `next` to the end. */
async function allPages(path: string, as = VIEWER): Promise<string[][]> {
  const pages: string[][] = []
  for (let after = ''; ; ) {
    const page = await list(`${path}${after}`, as)
    pages.push(idsOf(page))
    if (page.next === undefined) return pages
    after = `&after=${encodeURIComponent(page.next)}`
  }
}

const created = (taskId: string, more: object = {}) => ({ type: 'task.created', data: { taskId, ...more } })

beforeAll(async () => {
  hub = await startStateHub()
  await hub.publish(
    created('ab1', { pipelineId: 'p1', stage: 1, taskType: 'build', taskTitle: 'First' }),
    created('ab2', { pipelineId: 'p1', stage: 2, taskType: 'build' }),
    created('cd1', { streamId: 's1', taskType: 'test' }),
    created('cd2', { pipelineId: 'p2', streamId: 's1' }),
    { type: 'task.failed', data: { taskId: 'cd2', error: 'broken', agentId: 'a7' } },
    { type: 'pipeline.started', data: { pipelineId: 'p1', name: 'Nightly' } },
    { type: 'checkpoint.created', data: { checkpointId: 'c1', taskId: 'ab1' } },
    { type: 'checkpoint.created', data: { checkpointId: 'c2', taskId: 'ab2' } },
    { type: 'agui.run_started', data: { type: 'RUN_STARTED', threadId: 't', runId: 'r1' }, topics: ['run:r1'] },
  )
  await hub.ask('/api/v1/task-types/build', { method: 'PUT', as: SERVICE, json: { resultSchema: { type: 'object' } } })
})
afterAll(() => hub.close())

describe('lists', () => {
  test('come newest first, with the cursor behind which their changes follow', async () => {
    const answer = await list('tasks')
    expect(answer).toMatchObject({ ok: true, cursor: expect.stringMatching(/^[\w-]+\.\d+-\d+$/) })
    expect(idsOf(answer).toSorted()).toEqual(['ab1', 'ab2', 'cd1', 'cd2'])
    expect(answer.items.find(({ id }) => id === 'ab1')).toMatchObject({ kind: 'task', revision: expect.stringMatching(/^\d+-\d+$/), status: 'pending', title: 'First' })
    expect(answer.items.map(({ createdAt }) => createdAt)).toEqual(answer.items.map(({ createdAt }) => createdAt).toSorted().toReversed())
  })

  test.each([
    ['tasks?pipelineId=p1', ['ab1', 'ab2']],
    ['tasks?pipelineId=p1&stage=2', ['ab2']],
    ['tasks?stage=1', ['ab1']],
    ['tasks?streamId=s1', ['cd1', 'cd2']],
    ['tasks?streamId=s1&status=failed', ['cd2']],
    ['tasks?agentId=a7', ['cd2']],
    ['tasks?type=build', ['ab1', 'ab2']],
    ['tasks?type=build&pipelineId=p2', []],
    ['pipelines', ['p1', 'p2']],
    ['pipelines?status=running', ['p1']],
    ['streams', ['s1']],
    ['checkpoints?taskId=ab2', ['c2']],
    ['checkpoints?status=expired', []],
    ['runs', ['r1']],
    ['runs?status=finished', []],
    ['task-types', ['build']],
    ['agents?capability=none', []],
    ['tasks/?status=failed', ['cd2']],
  ])('%s holds %j', async (path, expected) => {
    expect((await ids(path)).toSorted()).toEqual(expected)
  })

  test.each(['tasks?status=done', 'agents?status=gone', 'tasks?stage=x', 'tasks?limit=0', 'tasks?limit=1001', 'tasks?limit=x', 'tasks?after=nonsense', 'tasks?after=e.1-1~x', `tasks?type=${'x'.repeat(300)}`])(
    '%s is refused',
    async (path) => {
      expect(codeOf(await hub.ask(`/api/v1/${path}`, { as: VIEWER }))).toEqual([400, 'INVALID_MESSAGE'])
    },
  )

  test('follow each other page by page, each entity once, under one cursor', async () => {
    const pages = await allPages('tasks?limit=3')
    expect(pages.map(({ length }) => length)).toEqual([3, 1])
    expect(pages.flat()).toEqual(await ids('tasks'))
    const first = await list('tasks?limit=1')
    await hub.publish({ type: 'custom.note', data: {}, topics: ['task:ab1'] })
    expect((await list(`tasks?limit=1&after=${encodeURIComponent(first.next!)}`)).cursor).toBe(first.cursor)
    expect((await list('tasks?limit=1')).cursor).not.toBe(first.cursor)
  })
})

describe('one entity', () => {
  test.each([
    ['tasks/cd2', { kind: 'task', id: 'cd2', status: 'failed', error: 'broken', agentId: 'a7' }],
    ['pipelines/p1', { kind: 'pipeline', name: 'Nightly', status: 'running' }],
    ['streams/s1', { kind: 'stream', totalTasks: 2 }],
    ['checkpoints/c1', { kind: 'checkpoint', taskId: 'ab1', status: 'available' }],
    ['runs/r1', { kind: 'run', status: 'running' }],
    ['task-types/build', { kind: 'task_type', resultSchema: { type: 'object' } }],
  ])('%s is answered', async (path, expected) => {
    expect(await hub.get(`/api/v1/${path}`, VIEWER)).toMatchObject({ ok: true, cursor: expect.any(String), revision: expect.any(String), ...expected })
  })

  test.each([
    ['tasks/none', 'TASK_NOT_FOUND'],
    ['tasks/__proto__', 'TASK_NOT_FOUND'],
    ['agents/none', 'NOT_FOUND'],
    ['pipelines/ab1', 'NOT_FOUND'],
    ['task-types/none', 'NOT_FOUND'],
  ])('%s is %s', async (path, code) => {
    expect(codeOf(await hub.ask(`/api/v1/${path}`, { as: VIEWER }))).toEqual([404, code])
  })

  test('has the result that was delivered', async () => {
    await hub.publish(created('r'), { type: 'task.result', data: { taskId: 'r', result: { lines: 7 } } })
    expect(await hub.get('/api/v1/tasks/r')).toMatchObject({ status: 'completed', result: { lines: 7 } })
    await hub.ask('/api/v1/tasks/r', { method: 'DELETE', as: SERVICE })
  })
})

describe('I6: of what may not be watched', () => {
  test('nothing is listed and nothing is found', async () => {
    const some = only('subscribe:task:ab*')
    expect((await ids('tasks', some)).toSorted()).toEqual(['ab1', 'ab2'])
    expect(await ids('tasks?streamId=s1', some)).toEqual([])
    expect(codeOf(await hub.ask('/api/v1/tasks/cd1', { as: some }))).toEqual([404, 'TASK_NOT_FOUND'])
    expect(await hub.get('/api/v1/tasks/ab1', some)).toMatchObject({ id: 'ab1' })
    expect((await allPages('tasks?limit=1', some)).flat().toSorted()).toEqual(['ab1', 'ab2'])
  })

  test('a grant for a pipeline or a stream shows their tasks', async () => {
    expect((await ids('tasks', only('subscribe:pipeline:p1'))).toSorted()).toEqual(['ab1', 'ab2'])
    expect((await ids('tasks', only('subscribe:stream:s1'))).toSorted()).toEqual(['cd1', 'cd2'])
    expect(await ids('pipelines', only('subscribe:pipeline:p1'))).toEqual(['p1'])
  })

  test('a place in a list names nothing that was passed over', async () => {
    const page = await list('tasks?limit=1', only('subscribe:task:ab2'))
    expect(idsOf(page)).toEqual(['ab2'])
    const place = Buffer.from(page.next?.split('~')[1] ?? '', 'base64url').toString()
    for (const hidden of ['cd1', 'cd2', 'ab1']) expect(place).not.toContain(hidden)
  })

  test('a kind of which one may see nothing is refused', async () => {
    for (const path of ['agents', 'pipelines', 'runs', 'task-types']) {
      expect([path, ...codeOf(await hub.ask(`/api/v1/${path}`, { as: only('subscribe:task:*') }))]).toEqual([path, 403, 'INSUFFICIENT_PERMISSIONS'])
    }
  })

  test('another project has nothing of it', async () => {
    const stranger = { ...VIEWER, project: 'other' }
    expect(await ids('tasks', stranger)).toEqual([])
    expect(codeOf(await hub.ask('/api/v1/tasks/ab1', { as: stranger }))).toEqual([404, 'TASK_NOT_FOUND'])
    expect(await ids('tasks', { ...stranger, role: 'admin' })).toEqual([])
  })
})

describe('clients that poll', () => {
  test('get a stream with its tasks, without an envelope', async () => {
    expect(await hub.get('/api/streams/s1', VIEWER)).toEqual({
      streamId: 's1', streamName: 's1', status: expect.any(String), progress: 0, tasks: 2, completedTasks: 0, inProgressTasks: 0, blockedTasks: 0, failedTasks: 1,
      createdAt: expect.any(String), updatedAt: expect.any(String),
      taskList: [expect.objectContaining({ id: 'cd1', title: 'cd1', status: 'pending', progress: 0 }), expect.objectContaining({ id: 'cd2', status: 'failed', assignedAgent: 'a7' })],
    })
  })

  test('get lists, tasks and checkpoints', async () => {
    expect(await hub.get('/api/streams', VIEWER)).toEqual({ streams: [expect.objectContaining({ streamId: 's1', tasks: 2 })] })
    expect(await hub.get('/api/tasks?status=failed', VIEWER)).toEqual({ tasks: [expect.objectContaining({ id: 'cd2', streamId: 's1' })] })
    expect(await hub.get('/api/tasks/ab1', VIEWER)).toMatchObject({ id: 'ab1', title: 'First', status: 'pending' })
    expect(await hub.get('/api/checkpoints?taskId=ab1', VIEWER)).toEqual({ checkpoints: [expect.objectContaining({ checkpointId: 'c1', taskId: 'ab1', expiresAt: null })] })
    expect(await hub.get('/api/checkpoints/c2', VIEWER)).toMatchObject({ checkpointId: 'c2' })
  })

  test('come through the same door', async () => {
    expect((await fetch(`${hub.url}/api/streams/s1`)).status).toBe(401)
    expect(codeOf(await hub.ask('/api/streams/none', { as: VIEWER }))).toEqual([404, 'NOT_FOUND'])
    expect(codeOf(await hub.ask('/api/streams/s1', { as: only('subscribe:stream:s2') }))).toEqual([404, 'NOT_FOUND'])
    const some = await hub.get<{ taskList: unknown[] }>('/api/streams/s1', only('subscribe:stream:s1'))
    expect(some.taskList).toHaveLength(2)
  })

  test('look first whether the hub is there', async () => {
    const answer = await fetch(`${hub.url}/health`)
    expect([answer.status, await answer.json()]).toEqual([200, { ok: true, status: 'healthy' }])
    const draining = await startHttpHub({}, { unready: () => ['draining'] })
    try {
      expect((await draining.fetch('/health')).status).toBe(503)
    } finally {
      await draining.close()
    }
  })
})
