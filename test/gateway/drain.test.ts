/** How a hub stops: who is connected is told, and closed one by one, so that the others are not asked for everybody at once; nothing that was begun is lost. */
import { Agent, request } from 'node:http'
import { connect } from '@hubbub/client'
import { startHub, type RunningHub } from '../../server/src/hub.js'
import { spreadOf } from '../../server/src/gateway/drainage.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startRedis } from '../harness/redis.js'
import { stockClient } from '../harness/sink.js'
import { SECRET, token } from '../harness/token.js'
import { plainClient } from './plainClient.js'
import { ended, readStream } from './streamReader.js'

const VIEWER = token({ sub: 'viewer', role: 'viewer' })
const SERVICE = token({ sub: 'engine', role: 'service' })

const started: RunningHub[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.close()))
})

async function hub(overrides: Partial<Settings> = {}): Promise<RunningHub> {
  const running = await startHub({ settings: settingsWith({ port: 0, jwtSecret: SECRET, ...overrides }) })
  started.push(running)
  return running
}

/** ms */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

test('300 connections are closed in groups over the time that is set, none before it was told when', async () => {
  const running = await hub({ drainSpreadMs: 2000, connectRate: 100 })
  const clients = await Promise.all(Array.from({ length: 300 }, () => plainClient(running.url, '/ws?topics=task:1', { as: VIEWER })))
  const ends: number[] = []
  const begun = performance.now()
  for (const { socket } of clients) socket.once('close', () => ends.push(performance.now() - begun))
  expect([spreadOf(settingsWith(), 0), spreadOf(settingsWith(), 30), spreadOf(settingsWith(), 20_000), spreadOf(settingsWith({ connectRate: 0 }), 300)]).toEqual([0, 200, 15_000, 2000])
  await running.close()
  await eventually(() => ends.length === 300, 'the end of all')
  // 150 a second, a quarter more behind a pause; and a little, for what this process hears of it late.
  const busiest = Math.max(...ends.map((from) => ends.filter((at) => at >= from && at < from + 1000).length))
  expect(busiest).toBeLessThanOrEqual(210)
  expect(Math.max(...ends)).toBeGreaterThan(1800)
  for (const { told, closed } of clients) {
    const { payload } = told.find(({ type }) => type === 'draining') as { payload: { reconnectInMs: number; deadlineMs: number } }
    expect(payload.reconnectInMs).toBeLessThan(payload.deadlineMs)
    expect(payload.deadlineMs).toBeLessThanOrEqual(2100)
    expect(closed?.code).toBe(1012)
  }
}, 30_000)

test('a few are gone in a moment, and nobody at all takes none', async () => {
  const [crowd, idle] = [await hub(), await hub()]
  const clients = await Promise.all(Array.from({ length: 20 }, () => plainClient(crowd.url, '/ws', { as: VIEWER })))
  expect(await timed(() => idle.close())).toBeLessThan(300)
  expect(await timed(() => crowd.close())).toBeLessThan(1000)
  for (const client of clients) expect((await client.end()).code).toBe(1012)
})

test('each wire has its word for it; a stock client is closed so that it comes back, and resumes', async () => {
  const running = await hub({ drainSpreadMs: 200 })
  const port = Number(new URL(running.url).port)
  const page = await stockClient(running.url, { token: VIEWER, topics: ['task:*'] })
  const reasons: string[] = []
  page.socket.on('disconnect', (reason) => reasons.push(reason))
  const notices: unknown[][] = []
  page.socket.on('hub.draining', (...args) => notices.push(args))
  const polling = await stockClient(running.url, { token: VIEWER, topics: ['task:*'], client: { transports: ['polling'] } })
  polling.socket.on('disconnect', (reason) => reasons.push(reason))
  const stream = await readStream(`${running.url}/api/v1/stream?topics=task:1`, { as: VIEWER })
  const plain = await Promise.all(['/ws', '/ws/tasks/T-1', '/ws/default', '/ws?dialect=autosdlc', '/ws?dialect=mcp'].map((path) => plainClient(running.url, path, { as: VIEWER })))
  await running.close()
  await eventually(() => reasons.length === 2, 'the ends of both')
  expect(reasons).toEqual(['transport close', 'transport close'])
  const notice = { reconnectInMs: expect.any(Number) as number, deadlineMs: expect.any(Number) as number }
  expect(notices).toEqual([[notice]])
  await ended(stream)
  expect(JSON.parse(stream.named('hub.draining')[0]!.data!)).toEqual(notice)
  expect(stream.told.at(-1)).toMatchObject({ event: 'hub.error' })
  expect(stream.retry[0]).toBeGreaterThanOrEqual(1000)
  await Promise.all(plain.map((client) => client.end()))
  expect(plain.map(({ closed, told }) => [closed!.code, told.filter(({ type, event_type: name }) => type === 'draining' || name === 'draining').length])).toEqual([[1012, 1], [1012, 1], [1012, 1], [1012, 1], [1000, 0]])
  // Nobody said that it must not come back.
  const again = await hub({ port })
  await eventually(() => page.connections.length === 2 && polling.connections.length === 2, 'both, again')
  expect(Number(new URL(again.url).port)).toBe(port)
  for (const client of [page, polling]) client.close()
}, 20_000)

test('the SDK goes by itself at its time, says so, and is back; an agent\'s connection is told of as closed by the stop', async () => {
  const reasons: string[] = []
  const first = await startHub({ settings: settingsWith({ port: 0, jwtSecret: SECRET, drainSpreadMs: 300, connectRate: 1 }), onDisconnect: ({ reason }) => reasons.push(reason) })
  started.push(first)
  const port = Number(new URL(first.url).port)
  const client = connect(first.url, { token: token({ sub: 'coder', role: 'agent', permissions: ['subscribe:*'] }), transports: ['websocket'] })
  const closed: unknown[] = []
  client.on('connection.closed', (event) => closed.push(event.data.reason))
  await client.subscribe('agent:coder')
  const watcher = await plainClient(first.url, '/ws?topics=agent:coder', { as: VIEWER })
  const states: string[] = []
  client.onState((state) => states.push(state))
  await first.close()
  expect(reasons.toSorted()).toEqual(['client namespace disconnect', 'closed with 1012'])
  await hub({ port })
  await eventually(() => client.state === 'live', 'being back')
  expect(states.slice(0, 2)).toEqual(['offline', 'connecting'])
  expect(states.at(-1)).toBe('live')
  const told = watcher.told.find(({ payload }) => (payload as { eventType?: string }).eventType === 'connection.closed')
  if (told) expect((told['payload'] as { data: { reason: string } }).data.reason).toBe('server shutting down')
  client.close()
}, 20_000)

describe('while it goes on', () => {
  test('it is alive and not ready; new connections are taken until the balancer had its time, then refused, for a while', async () => {
    const running = await hub({ drainNoticeMs: 2000, drainSpreadMs: 3000, connectRate: 1 })
    const first = await plainClient(running.url, '/ws', { as: VIEWER })
    const closing = running.close()
    await eventually(async () => (await ask(`${running.url}/health/ready`)).status === 503, 'not being ready')
    expect((await ask(`${running.url}/health/live`)).status).toBe(200)
    const late = await plainClient(running.url, '/ws', { as: VIEWER })
    await eventually(() => [first, late].every(({ told }) => told.some(({ type }) => type === 'draining')), 'the notice')
    const lastOf = [first, late].find(({ told }) => told.some(({ payload }) => Number((payload as { reconnectInMs?: number }).reconnectInMs) > 1000))!
    await expect(plainClient(running.url, '/ws', { as: VIEWER })).rejects.toThrow(/503.*UNAVAILABLE/)
    const stream = await ask(`${running.url}/api/v1/stream?topics=task:1`, { as: VIEWER })
    expect(stream.body.error).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    expect((await ask(`${running.url}/socket.io/?EIO=4&transport=polling`, { as: VIEWER })).body.error).toMatchObject({ code: 'UNAVAILABLE' })
    // Whoever is still connected is served, and what was published is there.
    lastOf.say({ type: 'ping' })
    await lastOf.hears(({ type }) => type === 'pong')
    expect((await ask(`${running.url}/api/v1/events`, { as: SERVICE, json: [{ type: 'task.progress', data: { taskId: 'T-1', progress: 1 } }] })).body.ok).toBe(true)
    await closing
  }, 20_000)

  test('answers end the socket that they come over', async () => {
    const running = await hub({ drainNoticeMs: 1500 })
    const agent = new Agent({ keepAlive: true })
    const connectionOf = () => new Promise<string | undefined>((resolve, reject) => {
      request(`${running.url}/health/live`, { agent }, (response) => response.resume().once('end', () => resolve(response.headers.connection))).once('error', reject).end()
    })
    expect(await connectionOf()).toBe('keep-alive')
    const closing = running.close()
    await eventually(async () => (await ask(`${running.url}/health/ready`)).status === 503, 'not being ready')
    expect(await connectionOf()).toBe('close')
    await closing
    agent.destroy()
  })

  test('and so do those that were asked for before it began', async () => {
    const running = await hub({ drainMs: 5000 })
    const agent = new Agent({ keepAlive: true })
    const body = JSON.stringify({ type: 'task.progress', data: { taskId: 'T-1', progress: 1 } })
    const answer = new Promise<string | undefined>((resolve, reject) => {
      const begun = request(`${running.url}/api/v1/events`, { agent, method: 'POST', headers: { authorization: `Bearer ${SERVICE}`, 'content-length': body.length } }, (response) => response.resume().once('end', () => resolve(`${response.statusCode} ${response.headers.connection}`)))
      begun.once('error', reject).write(body.slice(0, 10))
      void eventually(async () => (await ask(`${running.url}/health/live`)).status === 200, 'being asked').then(() => {
        const closing = running.close()
        begun.end(body.slice(10))
        return closing
      }).catch(reject)
    })
    expect(await answer).toBe('201 close')
    agent.destroy()
  })

  test('what was asked is answered: publishes, and a request that waits for an event', async () => {
    const running = await hub({ drainSpreadMs: 300 })
    const page = await stockClient(running.url, { token: SERVICE })
    const since = (await ask(`${running.url}/api/v1/history?topics=task:9&since=all`, { as: VIEWER })).body['cursor'] as string
    const waiting = ask(`${running.url}/api/v1/history?topics=task:9&since=${since}&wait=20`, { as: VIEWER })
    const answers = Promise.all(Array.from({ length: 100 }, (_, at) => page.socket.timeout(5000).emitWithAck('publish', { type: 'task.progress', data: { taskId: `T-${at}`, progress: 1 } }) as Promise<{ ok: boolean }>))
    await new Promise<void>((resolve) => page.socket.io.engine.once('flush', resolve))
    await Promise.all([running.close(), answers.then((all) => expect(all.filter(({ ok }) => ok)).toHaveLength(100))])
    expect((await waiting).body).toMatchObject({ ok: true, events: [], more: false })
    page.close()
  }, 20_000)
})

test('partitions go to another process at once, while clients are still here, and publish', async () => {
  const redis = await startRedis()
  try {
    const settings = { redisUrl: redis.url, partitions: 4, leaseMs: 2000, leaseRenewMs: 300 }
    const [stopping, staying] = [await hub({ ...settings, drainNoticeMs: 8000 }), await hub(settings)]
    const owned = async ({ url }: RunningHub) => Number(/^hubbub_partitions_owned (\d+)$/m.exec((await ask(`${url}/metrics`)).text)![1])
    await eventually(async () => (await owned(stopping)) === 2 && (await owned(staying)) === 2, 'two partitions each')
    const page = await stockClient(stopping.url, { token: SERVICE, topics: ['task:*'] })
    const closing = stopping.close()
    await eventually(async () => (await owned(staying)) === 4 && (await owned(stopping)) === 0, 'four of them on the other one', 6000)
    expect(await page.socket.timeout(5000).emitWithAck('publish', { type: 'task.progress', data: { taskId: 'T-1', progress: 1 } })).toMatchObject({ ok: true })
    await page.holds(1)
    expect(page.socket.connected).toBe(true)
    page.close()
    await closing
    await staying.close()
  } finally {
    await redis.stop()
  }
}, 40_000)

test('it is not planned for longer than it may take', () => {
  expect(() => settingsWith({ drainMs: 5000, drainSpreadMs: 5000 })).toThrow("HUBBUB_DRAIN_SPREAD_MS: '5000' is not allowed; allowed: less than HUBBUB_DRAIN_MS (5000)")
  expect(() => settingsWith({ drainMs: 5000, drainSpreadMs: 3000, drainNoticeMs: 2000 })).toThrow("HUBBUB_DRAIN_NOTICE_MS: '2000' is not allowed; allowed: with HUBBUB_DRAIN_SPREAD_MS less than HUBBUB_DRAIN_MS (5000)")
  expect(settingsWith({ drainMs: 0 }).drainMs).toBe(0)
})

describe('does not wait for ever', () => {
  test('for a peer that does not read any more', async () => {
    const running = await hub({ drainMs: 5000 })
    const stuck = await plainClient(running.url, '/ws?topics=task:*', { as: VIEWER })
    const page = await stockClient(running.url, { token: VIEWER, topics: ['task:*'] })
    stuck.socket.pause()
    ;(page.socket.io.engine.transport as unknown as { ws: { pause(): void } }).ws.pause()
    const big = Array.from({ length: 100 }, (_, at) => ({ type: 'task.progress', data: { taskId: `T-${at}`, progress: 1, message: 'x'.repeat(60_000) } }))
    for (let at = 0; at < 5; at++) await ask(`${running.url}/api/v1/events`, { as: SERVICE, json: big.slice(at * 20, at * 20 + 20) })
    expect(await timed(() => running.close())).toBeLessThan(5000)
    page.close()
  }, 30_000)

  test('for a Redis that does not answer', async () => {
    const redis = await startRedis()
    try {
      const running = await hub({ redisUrl: redis.url, drainMs: 10_000 })
      const page = await stockClient(running.url, { token: token({ sub: 'coder', role: 'agent' }), topics: ['task:*'] })
      await redis.kill('SIGSTOP')
      const unanswered = page.socket.emitWithAck('publish', { type: 'task.progress', data: { taskId: 'T-1', progress: 1 } })
      unanswered.catch(() => undefined)
      expect(await timed(() => running.close())).toBeLessThan(10_000)
      page.close()
    } finally {
      await redis.kill('SIGCONT')
      await redis.stop()
    }
  }, 40_000)
})
