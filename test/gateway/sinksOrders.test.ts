/** Orders for sinks: who may give them, which are refused, and when a sink is paused without one. */
import { eventually } from '../harness/eventually.js'
import { progress, SETTINGS, sinkScene, upTo, type Shown } from './sinksScene.js'
import { codeOf, only, SERVICE, startStateHub, VIEWER } from './stateHub.js'

const scene = sinkScene()

describe('a sink is paused', () => {
  test('when one event was tried as often as it may be, in order, with the reason; resumed, it has as many tries again', async () => {
    const own = await startStateHub('memory', { ...SETTINGS, sinkTries: 4, sinkRetryMs: 5 })
    try {
      scene.receiver.answer = ({ event }) => (event.data['seq'] === 1 ? 503 : 200)
      const { body } = await own.ask('/api/v1/sinks', { json: { url: scene.receiver.url, topics: ['task:*'] } })
      const find = async (status: string) => {
        const one = await own.get<Shown>(`/api/v1/sinks/${String(body['id'])}`)
        return one.status === status && one
      }
      await own.publish(...upTo(3).map((n) => progress(n)))
      for (const tries of [4, 8]) {
        const paused = await eventually(() => find('paused'), 'the sink being paused')
        expect(paused).toMatchObject({ reason: '4 attempts to deliver one event failed. The receiver answered 503.', attempts: 4, lag: { events: 2 } })
        expect(scene.receiver.received.filter(({ event }) => event.data['seq'] === 1)).toHaveLength(tries)
        if (tries === 8) scene.receiver.answer = () => 200
        await own.ask(`/api/v1/sinks/${String(body['id'])}/resume`, { method: 'POST' })
      }
      await scene.receiver.holds(3)
      expect(scene.seqs()).toEqual([0, 1, 2])
      const metrics = await (await fetch(`${own.url}/metrics`)).text()
      expect(metrics).toMatch(/^hubbub_sink_deliveries_total\{outcome="delivered"\} 3$/m)
      expect(metrics).toMatch(/^hubbub_sink_deliveries_total\{outcome="status"\} 8$/m)
    } finally {
      await own.close()
    }
  })

  test('when one event could not be delivered for as long as it may take', async () => {
    const own = await startStateHub('memory', { ...SETTINGS, sinkGiveUpMs: 150 })
    try {
      scene.receiver.answer = () => 500
      const { body } = await own.ask('/api/v1/sinks', { json: { url: scene.receiver.url, topics: ['task:*'] } })
      await own.publish(progress(1))
      const paused = await eventually(async () => {
        const one = await own.get<Shown>(`/api/v1/sinks/${String(body['id'])}`)
        return one.status === 'paused' && one
      }, 'the sink being paused')
      expect(Number(/^One event could not be delivered for (\d+) ms/.exec(paused.reason!)![1])).toBeGreaterThanOrEqual(150)
    } finally {
      await own.close()
    }
  })

  test('when the credential as which it reads is revoked; whoever resumes it is its reader from then on (I6)', async () => {
    const own = await startStateHub('memory', { ...SETTINGS, revocationPollMs: 100 })
    try {
      const leaver = { ...SERVICE, sub: 'leaver' }
      const { body } = await own.ask('/api/v1/sinks', { json: { url: scene.receiver.url, topics: ['task:*'] }, as: leaver })
      expect(body['reader']).toBe('/services/leaver')
      await own.ask('/api/v1/revocations', { json: { subject: 'leaver' } })
      const paused = await eventually(async () => {
        const one = await own.get<Shown>(`/api/v1/sinks/${String(body['id'])}`)
        return one.status === 'paused' && one
      }, 'the sink being paused')
      expect(paused.reason).toMatch(/revoked/)
      await own.publish(progress(1))
      expect(scene.receiver.received).toEqual([])
      expect((await own.ask(`/api/v1/sinks/${String(body['id'])}/resume`, { method: 'POST' })).body['reader']).toBe('/users/tester')
      await scene.receiver.holds(1)
    } finally {
      await own.close()
    }
  })
})

describe('orders for sinks', () => {
  test('are for services and admins who may read the topics; nobody else sees one', async () => {
    const json = { url: scene.receiver.url, topics: ['task:secret'] }
    for (const as of [VIEWER, { sub: 'a', role: 'agent' as const }, only('subscribe:*')]) {
      expect(codeOf(await scene.hub.ask('/api/v1/sinks', { json, as }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
      expect(codeOf(await scene.hub.ask('/api/v1/sinks', { as }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    }
    const narrow = { ...SERVICE, sub: 'narrow', permissions: ['subscribe:task:mine'] }
    expect(codeOf(await scene.hub.ask('/api/v1/sinks', { json, as: narrow }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    const { id } = await scene.add({ topics: ['task:secret'] })
    for (const as of [narrow, { ...SERVICE, project: 'other' }]) {
      expect((await scene.hub.ask('/api/v1/sinks', { as })).body['sinks']).toEqual([])
      expect(codeOf(await scene.hub.ask(`/api/v1/sinks/${id}`, { as }))).toEqual([404, 'NOT_FOUND'])
      for (const action of ['pause', 'resume']) expect(codeOf(await scene.hub.ask(`/api/v1/sinks/${id}/${action}`, { method: 'POST', as }))).toEqual([404, 'NOT_FOUND'])
      expect(codeOf(await scene.hub.ask(`/api/v1/sinks/${id}`, { method: 'DELETE', as }))).toEqual([404, 'NOT_FOUND'])
    }
    expect((await scene.hub.ask('/api/v1/sinks', { as: narrow, json: { url: scene.receiver.url, topics: ['task:mine'] } })).status).toBe(201)
    await scene.hub.publish(progress(1, 'secret'), progress(2, 'mine'))
    await scene.receiver.holds(2)
    expect(scene.seqs().map(Number).sort((a, b) => a - b)).toEqual([1, 2])
  })

  test.each([
    [{}, 'url'], [{ url: 'https://example.com' }, undefined], [{ url: 'nonsense' }, 'url'], [{ url: 'ftp://h/' }, 'url'], [{ url: 'http://u:p@127.0.0.1/' }, 'url'], [{ url: 'http://127.0.0.1/#a' }, 'url'],
    [{ topic: 'x' }, 'topic'], [{ topics: [] }, undefined], [{ id: 'a/b' }, 'id'], [{ format: 'xml' }, 'format'], [{ template: 'x' }, 'template'],
    [{ secret: 'abc' }, 'secret'], [{ secret: 'whsec_QUJD' }, 'secret'], [{ headers: { Host: 'x' } }, 'headers.Host'], [{ headers: { 'Webhook-Id': 'x' } }, 'headers.Webhook-Id'],
    [{ headers: { a: 'x\r\ny: z' } }, 'headers.a'], [{ headers: { 'transfer-encoding': 'chunked' } }, 'headers.transfer-encoding'], [{ since: 'yesterday' }, undefined],
  ])('%j is refused, and says where', async (fields, path) => {
    const json = Object.keys(fields).length === 0 ? { topics: ['task:*'] } : 'url' in fields && path === undefined ? fields : { url: scene.receiver.url, topics: ['task:*'], ...fields }
    const told = await scene.hub.ask('/api/v1/sinks', { json, as: SERVICE })
    expect(told.status).toBe(400)
    if (path !== undefined) expect(told.body.error).toMatchObject({ code: 'INVALID_MESSAGE', details: { path } })
    expect((await scene.hub.get<{ sinks: unknown[] }>('/api/v1/sinks')).sinks).toEqual([])
  })

  test('make one of each id, and as many as a project may have', async () => {
    await scene.add({ id: 'one', url: 'http://example.invalid.localhost:1/secret/path?token=1', topics: ['task:none'] }).catch(() => scene.add({ id: 'one', url: `${scene.receiver.url}/secret?token=1` }))
    expect(codeOf(await scene.hub.ask('/api/v1/sinks', { as: SERVICE, json: { id: 'one', url: scene.receiver.url, topics: ['task:*'] } }))).toEqual([409, 'BUSINESS_LOGIC_ERROR'])
    for (let n = 1; n < SETTINGS.maxSinks; n++) await scene.add({ topics: ['task:none'] })
    expect(codeOf(await scene.hub.ask('/api/v1/sinks', { as: SERVICE, json: { url: scene.receiver.url, topics: ['task:*'] } }))).toEqual([429, 'SUBSCRIPTION_LIMIT'])
    expect((await scene.show('one'))['url']).not.toContain('token')
  })

  test('of a sink that there is not are not found', async () => {
    for (const [method, path] of [['GET', ''], ['POST', '/pause'], ['POST', '/resume'], ['DELETE', '']]) {
      expect(codeOf(await scene.hub.ask(`/api/v1/sinks/nothing${path}`, { method }))).toEqual([404, 'NOT_FOUND'])
    }
  })
})
