/** Tasks ordered over HTTP and by command: created, changed, called off, deleted, and what their results must look like. */
import type { HubEvent } from '@hubbub/protocol'
import { checkResultSchema } from '../../server/src/operations/result-schema.js'
import { eventually } from '../harness/eventually.js'
import { tap, type Tap } from '../harness/tap.js'
import { token, type Claims } from '../harness/token.js'
import { codeOf, only, SERVICE, startStateHub, VIEWER, type StateHub } from './stateHub.js'

const AGENT = { sub: 'coder', role: 'agent' } as const

let hub: StateHub
const order = (json: unknown, as: Claims = SERVICE) => hub.ask('/api/v1/tasks', { method: 'POST', as, json })
const change = (id: string, json: unknown, as: Claims = SERVICE) => hub.ask(`/api/v1/tasks/${id}`, { method: 'PUT', as, json })
const remove = (id: string, as: Claims = SERVICE) => hub.ask(`/api/v1/tasks/${id}`, { method: 'DELETE', as })
const cancel = (id: string, json?: unknown, as: Claims = SERVICE) => hub.ask(`/api/v1/tasks/${id}/cancel`, { method: 'POST', as, json })

beforeAll(async () => {
  hub = await startStateHub('memory', { cancelMs: 60_000 })
})
afterAll(() => hub.close())

/** An agent that takes tasks which ask for its capability. */
async function agent(sub: string, capability: string): Promise<Tap & { mail(type: string, taskId: string): Promise<HubEvent<{ leaseToken: string }>> }> {
  const connected = await tap(hub.url, { auth: { token: token({ sub, role: 'agent' }) } })
  await connected.must('agent.register', { capabilities: [capability], maxTasks: 10 })
  return Object.assign(connected, {
    async mail(type: string, taskId: string) {
      const { event } = await eventually(() => connected.events.find(({ event: { type: name, data } }) => name === type && (data as { taskId?: string }).taskId === taskId), `${type} of ${taskId}`)
      return event as HubEvent<{ leaseToken: string }>
    },
  })
}

describe('creating a task', () => {
  test('answers 201 with the task and its address', async () => {
    const told = await order({
      type: 'build', title: 'Nightly', parameters: { branch: 'main' }, deadline: '2099-01-01T02:00:00+02:00', priority: 'high', pipelineId: 'p1', stage: 2, streamId: 's1', requires: ['nobody-has-it', 'nobody-has-it'],
    })
    const id = told.body['id'] as string
    expect([told.status, told.headers.get('location')]).toEqual([201, `/api/v1/tasks/${id}`])
    expect(told.body).toMatchObject({
      ok: true, kind: 'task', status: 'pending', managed: true, taskType: 'build', title: 'Nightly', parameters: { branch: 'main' }, deadline: '2099-01-01T00:00:00.000Z', priority: 'high', pipelineId: 'p1', stage: 2, streamId: 's1',
      requires: ['nobody-has-it'], attempt: 0,
    })
    expect(id).toMatch(/^[0-9a-f]{20}$/)
    expect(await hub.get(`/api/v1/tasks/${id}`, VIEWER)).toMatchObject({ id, revision: told.body['revision'] })
  })

  test('with a trailing slash and an id that needs escaping works as well', async () => {
    const told = await hub.ask('/api/v1/tasks/', { method: 'POST', as: SERVICE, json: { id: 'octo/hub#7', type: 't', requires: ['x'] } })
    expect([told.status, told.headers.get('location')]).toEqual([201, '/api/v1/tasks/octo%2Fhub%237'])
    expect(await hub.get('/api/v1/tasks/octo%2Fhub%237/', VIEWER)).toMatchObject({ id: 'octo/hub#7' })
  })

  test('again, with the very same order, is answered with the task as it stands; with another one it is refused', async () => {
    const asked = { id: 'twice', type: 't', title: 'One', requires: ['x'] }
    const [first, second] = [await order(asked), await order(asked)]
    expect([first.status, second.status, second.body['revision']]).toEqual([201, 201, first.body['revision']])
    expect(codeOf(await order({ ...asked, title: 'Two' }))).toEqual([409, 'TASK_EXISTS'])
    expect(codeOf(await order(asked, { ...SERVICE, sub: 'other' }))).toEqual([409, 'TASK_EXISTS'])
  })

  test('after it was deleted makes it anew, whatever was answered before', async () => {
    const [one, two] = [{ id: 'anew', type: 't', requires: ['x'] }, { id: 'anew', type: 'u', requires: ['x'] }]
    await order(one)
    expect(codeOf(await order(two))).toEqual([409, 'TASK_EXISTS'])
    expect((await remove('anew')).status).toBe(200)
    expect((await order(two)).body).toMatchObject({ id: 'anew', taskType: 'u' })
    await remove('anew')
    expect((await order(one)).body).toMatchObject({ id: 'anew', taskType: 't' })
  })

  test('that waits for others is blocked, and one that would wait for itself is refused', async () => {
    expect((await order({ id: 'later', type: 't', dependsOn: ['twice'], requires: ['x'] })).body).toMatchObject({ status: 'blocked', dependsOn: ['twice'] })
    expect(codeOf(await order({ id: 'self', type: 't', dependsOn: ['self'] }))).toEqual([409, 'BUSINESS_LOGIC_ERROR'])
  })

  test.each([
    ['no type', {}],
    ['a list', []],
    ['a long title', { type: 't', title: 'x'.repeat(501) }],
    ['an id with a blank', { type: 't', id: 'a b' }],
    ['parameters that are no object', { type: 't', parameters: 7 }],
    ['a deadline that is no time', { type: 't', deadline: 'tomorrow' }],
    ['an unknown priority', { type: 't', priority: 'soon' }],
    ['a stage without a pipeline', { type: 't', stage: 1 }],
    ['too many dependencies', { type: 't', dependsOn: Array.from({ length: 101 }, (_, n) => `d${n}`) }],
    ['too many capabilities', { type: 't', requires: Array.from({ length: 51 }, (_, n) => `c${n}`) }],
    ['a misspelt field', { type: 't', prority: 1 }],
    ['what only the hub says', { type: 't', managed: false }],
  ])('with %s is refused', async (_what, json) => {
    expect(codeOf(await order(json))).toEqual([400, 'INVALID_MESSAGE'])
  })

  test('too large, or by whoever may not, is refused', async () => {
    expect(codeOf(await order({ type: 't', parameters: { text: 'x'.repeat(70_000) } }))).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    expect(codeOf(await order({ type: 't' }, VIEWER))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    expect((await order({ type: 't', requires: ['x'] }, only('publish:task.created'))).status).toBe(201)
  })

  test('by command is the same', async () => {
    const engine = await tap(hub.url, { auth: { token: token(SERVICE) } })
    const { result } = await engine.must('command', { command: 'start_task', payload: { id: 'commanded', type: 't', requires: ['x'] } })
    expect(result).toMatchObject({ kind: 'task', id: 'commanded', status: 'pending' })
    expect(await engine.call('command', { command: 'start_task', payload: { type: 7 } })).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE' } })
  })
})

describe('changing a task', () => {
  test('changes what is named and tells it with the old values', async () => {
    await order({ id: 'changing', type: 't', title: 'Old', priority: 1, requires: ['x'] })
    const told = await change('changing', { title: 'New', deadline: '2099-05-05T00:00:00Z', requires: ['y', 'z'], parameters: { a: 1 } })
    expect(told.body).toMatchObject({ ok: true, id: 'changing', title: 'New', priority: 1, deadline: '2099-05-05T00:00:00.000Z', requires: ['y', 'z'], parameters: { a: 1 } })
    const { events } = await hub.get<{ events: { event: HubEvent }[] }>('/api/v1/history?topics=task:changing&types=task.updated')
    expect(events.map(({ event }) => (event.data as { changes: unknown }).changes)).toEqual([
      expect.arrayContaining([{ field: 'title', oldValue: 'Old', newValue: 'New' }, { field: 'parameters', oldValue: null, newValue: { a: 1 } }]),
    ])
  })

  test('is refused where there is nothing to change, or nobody may', async () => {
    for (const json of [{}, { title: 7 }, { status: 'completed' }, { deadline: 'x' }, { id: 'other' }]) expect([json, ...codeOf(await change('changing', json))]).toEqual([json, 400, 'INVALID_MESSAGE'])
    expect(codeOf(await change('none', { title: 'x' }))).toEqual([404, 'TASK_NOT_FOUND'])
    expect(codeOf(await change('changing', { title: 'x' }, VIEWER))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    expect(codeOf(await change('changing', { title: 'x' }, only('publish:task.*', 'subscribe:task:else')))).toEqual([404, 'TASK_NOT_FOUND'])
    expect(codeOf(await change('changing', { title: 'x' }, AGENT))).toEqual([409, 'NOT_TASK_OWNER'])
  })
})

describe('deleting a task', () => {
  test('takes it out of the state, and its agent is told to stop', async () => {
    const worker = await agent('deleter', 'deleting')
    await order({ id: 'gone', type: 't', requires: ['deleting'] })
    await worker.mail('task.delegate', 'gone')
    expect((await remove('gone')).body).toEqual({ ok: true, id: 'gone' })
    await worker.mail('execution.cancel', 'gone')
    expect(codeOf(await hub.ask('/api/v1/tasks/gone'))).toEqual([404, 'TASK_NOT_FOUND'])
    expect(codeOf(await remove('gone'))).toEqual([404, 'TASK_NOT_FOUND'])
  })

  test('is refused for whoever may not', async () => {
    for (const as of [VIEWER, AGENT]) expect(codeOf(await remove('changing', as))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    expect(codeOf(await remove('changing', only('command:*', 'subscribe:task:else')))).toEqual([404, 'TASK_NOT_FOUND'])
  })
})

describe('calling a task off', () => {
  test('that nobody holds ends it at once, and again answers the same', async () => {
    await order({ id: 'idle', type: 't', requires: ['x'] })
    expect((await cancel('idle', { reason: 'no need' })).body).toMatchObject({ ok: true, id: 'idle', status: 'cancelled', finishedAt: expect.any(String) })
    expect((await cancel('idle')).body).toMatchObject({ ok: true, status: 'cancelled' })
  })

  test('is answered when its agent has stopped', async () => {
    const worker = await agent('stopper', 'stopping')
    await order({ id: 'held', type: 't', requires: ['stopping'] })
    const { leaseToken } = (await worker.mail('task.delegate', 'held')).data
    await worker.must('task.accepted', { taskId: 'held', leaseToken })
    const asked = cancel('held', { reason: 'enough' })
    expect((await worker.mail('execution.cancel', 'held')).data).toMatchObject({ reason: 'enough', leaseToken })
    await worker.must('task.cancelled', { taskId: 'held', leaseToken })
    expect((await asked).body).toMatchObject({ ok: true, status: 'cancelled' })
    const { events } = await hub.get<{ events: { event: HubEvent }[] }>('/api/v1/history?topics=task:held&types=task.cancel_requested')
    expect(events[0]!.event.data).toMatchObject({ by: '/services/engine', reason: 'enough' })
  })

  test('is answered with TIMEOUT when it takes longer, also as a command; a client that hangs up is no failure', async () => {
    const worker = await agent('deaf', 'hearing')
    await order({ id: 'deafened', type: 't', requires: ['hearing'] })
    const { leaseToken } = (await worker.mail('task.delegate', 'deafened')).data
    await worker.must('task.accepted', { taskId: 'deafened', leaseToken })
    const told = await cancel('deafened', { timeoutMs: 100 })
    expect([...codeOf(told), told.body.error?.details]).toEqual([504, 'TIMEOUT', { taskId: 'deafened', status: 'accepted' }])
    const engine = await tap(hub.url, { auth: { token: token(SERVICE) } })
    expect(await engine.call('command', { command: 'cancel_execution', payload: { taskId: 'deafened' }, timeoutMs: 100 })).toMatchObject({ ok: false, error: { code: 'TIMEOUT' } })
    const impatient = new AbortController()
    const asked = fetch(`${hub.url}/api/v1/tasks/deafened/cancel`, { method: 'POST', headers: { authorization: `Bearer ${token(SERVICE)}` }, signal: impatient.signal })
    await eventually(() => worker.events.filter(({ event }) => event.type === 'execution.cancel').length >= 3, 'the third request')
    impatient.abort()
    await expect(asked).rejects.toThrow('aborted')
    await worker.must('task.cancelled', { taskId: 'deafened', leaseToken })
    expect(await (await fetch(`${hub.url}/metrics`)).text()).not.toMatch(/code="INTERNAL_ERROR"\} [1-9]/)
  })

  test('is refused where it makes no sense or nobody may', async () => {
    await hub.publish({ type: 'task.completed', data: { taskId: 'done' } })
    expect(codeOf(await cancel('done'))).toEqual([409, 'BUSINESS_LOGIC_ERROR'])
    expect(codeOf(await cancel('none'))).toEqual([404, 'TASK_NOT_FOUND'])
    expect(codeOf(await cancel('changing', {}, AGENT))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    expect(codeOf(await cancel('changing', {}, only('command:*', 'subscribe:task:else')))).toEqual([404, 'TASK_NOT_FOUND'])
    for (const json of [{ timeoutMs: 1 }, { timeoutMs: 'x' }, { reason: 7 }, { reason: 'x'.repeat(501) }, { why: 'x' }]) {
      expect([json, ...codeOf(await cancel('changing', json))]).toEqual([json, 400, 'INVALID_MESSAGE'])
    }
  })
})

describe('types of tasks', () => {
  const define = (type: string, json: unknown, as: Claims = SERVICE) => hub.ask(`/api/v1/task-types/${type}`, { method: 'PUT', as, json })

  test('say what results must look like, until they are forgotten', async () => {
    const resultSchema = { type: 'object', properties: { lines: { $ref: '#/$defs/count' } }, required: ['lines'], $defs: { count: { type: 'integer', minimum: 0 } } }
    expect((await define('counted', { resultSchema })).body).toMatchObject({ ok: true, kind: 'task_type', id: 'counted', resultSchema })
    const worker = await agent('counter', 'counting')
    await order({ id: 'count', type: 'counted', requires: ['counting'] })
    const { leaseToken } = (await worker.mail('task.delegate', 'count')).data
    await worker.must('task.accepted', { taskId: 'count', leaseToken })
    expect(await worker.call('task.result', { taskId: 'count', leaseToken, result: { lines: -1 } })).toMatchObject({ ok: false, error: { code: 'RESULT_INVALID' } })
    await worker.must('task.result', { taskId: 'count', leaseToken, result: { lines: 3 } })
    expect(await hub.get('/api/v1/tasks/count')).toMatchObject({ status: 'completed', result: { lines: 3 } })
    const forget = () => hub.ask('/api/v1/task-types/counted', { method: 'DELETE', as: SERVICE })
    expect((await forget()).body).toEqual({ ok: true, id: 'counted' })
    expect(codeOf(await forget())).toEqual([404, 'NOT_FOUND'])
  })

  test('are defined by services and admins only', async () => {
    expect((await define('mine', { resultSchema: {} }, {})).status).toBe(200)
    for (const as of [VIEWER, AGENT, only('publish:*', 'subscribe:*')]) {
      expect(codeOf(await define('mine', { resultSchema: {} }, as))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
      expect(codeOf(await hub.ask('/api/v1/task-types/mine', { method: 'DELETE', as }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    }
    expect(codeOf(await hub.ask('/api/v1/task-types/mine', { as: only('subscribe:task:*') }))).toEqual([404, 'NOT_FOUND'])
    expect(codeOf(await define('a%20b', { resultSchema: {} }))).toEqual([422, 'VALIDATION_ERROR'])
    expect(codeOf(await define('mine', { resultSchema: 7 }))).toEqual([400, 'INVALID_MESSAGE'])
    expect(codeOf(await define('mine', { resultSchema: { enum: ['x'.repeat(17_000)] } }))).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  })

  test.each<[string, object]>([
    ['a type that is none', { type: 'text' }],
    ['a type inside that is none', { properties: { a: { items: { type: 'strin' } } } }],
    ['a pattern that does not compile', { properties: { a: { type: 'string', pattern: '(' } } }],
    ['properties that are no schemas', { properties: 7 }],
    ['a reference elsewhere', { $ref: 'https://example.org/schema' }],
    ['a reference to nothing', { $ref: '#/$defs/none' }],
    ['a reference to itself', { $ref: '#' }],
    ['references in a circle', { $ref: '#/$defs/a', $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { not: { $ref: '#/$defs/a' } } } }],
  ])('a schema with %s is refused', (_what, schema) => {
    expect(() => checkResultSchema(schema)).toThrow(expect.objectContaining({ code: 'VALIDATION_ERROR' }) as Error)
  })

  test('a schema of trees is taken: it leads back to itself through the value', () => {
    const tree = { type: 'object', properties: { children: { type: 'array', items: { $ref: '#' } } } }
    expect(checkResultSchema(tree)).toBe(tree)
  })
})
