import { partitionOf } from '@hubbub/protocol'
import { letterProject } from '../../server/src/gateway/http/dead.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { openStore, storeOptions } from '../../server/src/store/open.js'
import type { Store } from '../../server/src/store/port.js'
import { eventually } from '../harness/eventually.js'
import { startRedis } from '../harness/redis.js'
import { startHttpHub, type HttpHub } from './httpHub.js'

let hub: HttpHub
const json = async <T>(response: Response | Promise<Response>) => (await (await response).json()) as T
const send = (method: string, path: string, as: string, body?: unknown) => hub.fetch(path, { method, as, ...(body !== undefined && { body: JSON.stringify(body) }) })
const use = (as: string) => hub.fetch('/api/v1/websocket/status', { as })
const codeOf = async (response: Promise<Response>) => (await json<{ error: { code: string } }>(response)).error.code

beforeEach(async () => {
  hub = await startHttpHub()
})
afterEach(() => hub.close())

describe('keys over HTTP', () => {
  it('are made, listed without their secret, used and revoked', async () => {
    const made = await send('POST', '/api/v1/keys', 'admin', { subject: 'ci', role: 'service' })
    expect(made.status).toBe(201)
    const { key, id, projects } = await json<{ key: string; id: string; projects: string[] }>(made)
    expect(projects).toEqual(['default'])
    const list = await (await send('GET', '/api/v1/keys', 'admin')).text()
    expect(JSON.parse(list)).toMatchObject({ ok: true, keys: [{ id, subject: 'ci', role: 'service' }] })
    expect(list).not.toContain(key.slice('hub_0123456789abcdef_'.length))
    const useKey = () => hub.fetch('/api/v1/websocket/status', { headers: { 'x-api-key': key } })
    expect((await useKey()).status).toBe(200)
    expect(await json(send('DELETE', `/api/v1/keys/${id}`, 'admin'))).toMatchObject({ ok: true, id, revokedAt: expect.any(Number) })
    expect(await codeOf(useKey())).toBe('AUTH_REVOKED')
  })

  it('are for admins, and inside their projects', async () => {
    for (const as of ['viewer', 'agent']) {
      expect(await json(send('POST', '/api/v1/keys', as, { subject: 'x' }))).toMatchObject({ error: { code: 'INSUFFICIENT_PERMISSIONS', details: { needed: 'admin' } } })
      expect(await codeOf(send('GET', '/api/v1/keys', as))).toBe('INSUFFICIENT_PERMISSIONS')
      expect(await codeOf(send('POST', '/api/v1/revocations', as, { subject: 'x' }))).toBe('INSUFFICIENT_PERMISSIONS')
      expect(await codeOf(send('GET', '/api/v1/dead', as))).toBe('INSUFFICIENT_PERMISSIONS')
    }
    for (const projects of [['*'], ['other'], ['default', 'other'], 'other']) expect(await codeOf(send('POST', '/api/v1/keys', 'admin', { subject: 'x', projects }))).toBe('WRONG_PROJECT')
    const { id } = await json<{ id: string }>(send('POST', '/api/v1/keys', 'operator', { subject: 'x', projects: ['other'] }))
    expect(await json(send('GET', '/api/v1/keys', 'admin'))).toEqual({ ok: true, keys: [] })
    expect(await codeOf(send('DELETE', `/api/v1/keys/${id}`, 'admin'))).toBe('NOT_FOUND')
    expect((await send('DELETE', `/api/v1/keys/${id}`, 'operator')).status).toBe(200)
  })

  it('are refused when they make no sense', async () => {
    for (const body of [{}, { subject: 'a b' }, { subject: 'x', role: 'root' }, { subject: 'x', permissions: ['read'] }, { subject: 'x', projects: 7 }, [], 7]) {
      expect(await codeOf(send('POST', '/api/v1/keys', 'operator', body))).toBe('INVALID_MESSAGE')
    }
    expect(await codeOf(send('POST', '/api/v1/revocations', 'operator', { subject: '' }))).toBe('INVALID_MESSAGE')
  })
})

describe('revoking a subject over HTTP', () => {
  it('counts in the admin\'s projects, or everywhere for an admin of all', async () => {
    expect(await json(send('POST', '/api/v1/revocations', 'admin', { subject: 'coder-1' }))).toMatchObject({ ok: true, projects: ['default'] })
    expect(await codeOf(use('agent'))).toBe('AUTH_REVOKED')
    expect((await use('stranger')).status).toBe(200)
    await send('POST', '/api/v1/revocations', 'operator', { subject: 'coder-1' })
    expect(await codeOf(use('stranger'))).toBe('AUTH_REVOKED')
  })
})

describe('dead letters over HTTP', () => {
  interface Letters {
    letters: { id: string; partition: number; fields: { event: string } }[]
    more: boolean
  }

  it('show an admin of every project all, and one of a project his own', async () => {
    await bury(hub.store)
    const all = await json<Letters>(send('GET', '/api/v1/dead', 'operator'))
    expect(all.letters.map((letter) => letter.fields.event).sort()).toEqual(['not json', '{"type":"x"}', '{"type":"y"}'])
    const own = await json<Letters>(send('GET', '/api/v1/dead', 'admin'))
    expect(own.letters.map((letter) => letter.fields.event)).toEqual(['{"type":"x"}'])
    const foreign = all.letters.find((letter) => letter.fields.event === '{"type":"y"}')!
    const path = `/api/v1/dead/${foreign.partition}/${foreign.id}`
    expect(await codeOf(send('GET', path, 'admin'))).toBe('NOT_FOUND')
    expect(await codeOf(send('DELETE', path, 'admin'))).toBe('NOT_FOUND')
    expect(await codeOf(send('POST', `${path}/replay`, 'admin'))).toBe('NOT_FOUND')
    expect(await json(send('GET', path, 'operator'))).toMatchObject({ letter: { id: foreign.id, code: 'INVALID_MESSAGE' } })
    expect(await json<Letters>(send('GET', '/api/v1/dead?limit=1', 'operator'))).toMatchObject({ letters: [expect.anything()], more: true })
  })

  it('are replayed and dropped once', async () => {
    await bury(hub.store)
    const { letters } = await json<Letters>(send('GET', '/api/v1/dead', 'operator'))
    const [first, second] = letters as [Letters['letters'][0], Letters['letters'][0]]
    expect((await send('POST', `/api/v1/dead/${first.partition}/${first.id}/replay`, 'operator')).status).toBe(200)
    expect(await codeOf(send('POST', `/api/v1/dead/${first.partition}/${first.id}/replay`, 'operator'))).toBe('NOT_FOUND')
    expect((await send('DELETE', `/api/v1/dead/${second.partition}/${second.id}`, 'operator')).status).toBe(200)
    expect(await codeOf(send('DELETE', `/api/v1/dead/${second.partition}/${second.id}`, 'operator'))).toBe('NOT_FOUND')
    expect((await json<Letters>(send('GET', '/api/v1/dead', 'operator'))).letters.length).toBe(1)
  })

  it('are not found at addresses that are none', async () => {
    for (const path of ['99/1-0', '-1/1-0', 'x/1-0', '0/nonsense', '0/1-0']) expect([path, await codeOf(send('GET', `/api/v1/dead/${path}`, 'operator'))]).toEqual([path, 'NOT_FOUND'])
    expect(await codeOf(send('GET', '/api/v1/dead?limit=0', 'operator'))).toBe('INVALID_MESSAGE')
  })

  it('of raw streams are told by what the entry asked for, for identity does not count there', () => {
    const fields = { event: '{"project":"b"}', identity: '{"project":"a"}' }
    expect(letterProject({ stream: 'workflows', fields }, settingsWith())).toBe('b')
    expect(letterProject({ stream: 'agents', fields }, settingsWith())).toBe('a')
    expect(letterProject({ stream: 'workflows', fields: { identity: fields.identity } }, settingsWith())).toBeUndefined()
  })
})

describe('health and status', () => {
  it('say that the process lives and is ready, to anybody', async () => {
    expect(await json(hub.fetch('/health/live'))).toEqual({ ok: true, status: 'live' })
    expect(await json(hub.fetch('/health/ready'))).toEqual({ ok: true, status: 'ready' })
    const metrics = await hub.fetch('/metrics')
    expect(metrics.headers.get('content-type')).toContain('text/plain')
    expect(await metrics.text()).toContain('# TYPE hubbub_rejections_total counter')
  })

  it('say why the process is not ready', async () => {
    const draining = await startHttpHub({}, { unready: () => ['draining'] })
    try {
      const response = await draining.fetch('/health/ready')
      expect(response.status).toBe(503)
      expect(await response.json()).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', details: { reasons: ['draining'] } } })
      expect((await draining.fetch('/health/live')).status).toBe(200)
    } finally {
      await draining.close()
    }
  })

  it('count only the caller\'s project, unless he is admin of all', async () => {
    expect(await json(hub.fetch('/api/v1/websocket/status', { as: 'agent' }))).toEqual({ ok: true, total: 1, active: 1 })
    expect(await json(hub.fetch('/api/v1/websocket/status', { as: 'admin' }))).toEqual({ ok: true, total: 1, active: 1 })
    expect(await json(hub.fetch('/api/v1/websocket/status', { as: 'operator' }))).toEqual({ ok: true, total: 3, active: 2 })
    const viewer = await json<object>(hub.fetch('/api/v1/status', { as: 'viewer' }))
    expect(viewer).toMatchObject({ ok: true, version: '0.0.0', node: 'test', store: { kind: 'memory', partitions: 4 }, connections: { total: 1 } })
    expect(viewer).not.toHaveProperty('partitions')
    expect(await json(hub.fetch('/api/v1/status', { as: 'admin' }))).toMatchObject({ partitions: [{ partition: partitionOf('default', 4), owner: null }] })
    const { partitions } = await json<{ partitions: object[] }>(hub.fetch('/api/v1/status', { as: 'operator' }))
    expect(partitions).toEqual([0, 1, 2, 3].map((partition) => ({ partition, owner: null, lag: 0 })))
  })

  it('say so when the store is away, while the process lives on', async () => {
    const redis = await startRedis()
    const store = await openStore(storeOptions(settingsWith({ redisUrl: redis.url })))
    const away = await startHttpHub({}, { store })
    try {
      const ready = async () => (await away.fetch('/health/ready')).status
      expect(await ready()).toBe(200)
      // Frozen, it would never answer.
      await redis.kill('SIGSTOP')
      expect(await ready()).toBe(503)
      await redis.kill('SIGCONT')
      await eventually(async () => (await ready()) === 200, 'readiness to return')
      await redis.kill('SIGKILL')
      const response = await away.fetch('/health/ready')
      expect(response.status).toBe(503)
      expect(await response.json()).toMatchObject({ error: { code: 'UNAVAILABLE', details: { reasons: ['store'] } } })
      expect((await away.fetch('/health/live')).status).toBe(200)
      expect(await json(away.fetch('/api/v1/status', { as: 'operator' }))).toMatchObject({ store: { kind: 'redis', pingMs: null } })
      expect((await away.fetch('/api/v1/keys', { as: 'operator' })).status).toBe(503)
    } finally {
      await away.close()
      await store.close()
      await redis.stop()
    }
  })
})

/** Another project of the same partition. */
function neighbourOf(project: string, partitions: number): string {
  for (let i = 0; ; i++) if (partitionOf(`p${i}`, partitions) === partitionOf(project, partitions)) return `p${i}`
}

/** Two projects' letters of one partition, and one of nobody's: put there by a real commit. */
async function bury(store: Store): Promise<void> {
  const partition = partitionOf('default', store.partitions)
  const neighbour = neighbourOf('default', store.partitions)
  const fields = [
    { event: '{"type":"x"}', identity: JSON.stringify({ source: '/agents/a', project: 'default' }) },
    { event: '{"type":"y"}', identity: JSON.stringify({ source: '/agents/b', project: neighbour }) },
    { event: 'not json', identity: 'not json' },
  ]
  const ids = await store.append(partition, fields.map(({ event }) => ({ stream: 'agents' as const, event })))
  const state = (await store.takeOver(partition, 'test', 10_000))!
  const refusals = fields.map((entry, at) => ({
    outcome: '!INVALID_MESSAGE bad',
    dead: { stream: 'agents' as const, id: ids[at]!, code: 'INVALID_MESSAGE', message: 'bad', fields: entry },
  }))
  const to = { ...state.positions, agents: ids.at(-1)! }
  await store.commit(partition, { fence: state.fence, number: state.batch + 1, from: state.positions, to, appends: [], refusals, repeats: [] })
  await store.release(partition, 'test')
}
