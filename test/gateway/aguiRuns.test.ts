/** Runs read by the stock client of AG-UI through the hub: it holds in the end what it would hold had it read from the agent itself. */
import type { HubEvent } from '@hubbub/protocol'
import type { RunningHub } from '../../server/src/hub.js'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { startProxy, type Proxy } from '../harness/proxy.js'
import { token } from '../harness/token.js'
import { hub } from './agentHub.js'
import { direct, held, quietClient, runReader, type Held, type RunReader, type Said } from './aguiClient.js'
import { finished, script, started } from './aguiScript.js'
import { ended, readStream } from './streamReader.js'

quietClient()

const VIEWER = token({ sub: 'page', role: 'viewer' })

const urlOf = (base: string, runId: string, query = '') => `${base}/api/v1/runs/${runId}/agui${query}`
const reader = (running: RunningHub, runId: string, query = '', initial: Partial<Held> = {}): RunReader => runReader(urlOf(running.url, runId, query), VIEWER, initial)

const proxies: Proxy[] = []
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.close()
})

let keys = 0
async function publish(running: RunningHub, runId: string, events: readonly Said[]): Promise<void> {
  if (events.length === 0) return
  const { body } = await ask(`${running.url}/api/v1/runs/${runId}/events?threadId=t`, { as: token(), json: events, headers: { 'idempotency-key': `k${++keys}` } })
  expect((body['results'] as { ok: boolean }[]).filter(({ ok }) => !ok)).toEqual([])
}

describe('a run read through the hub', () => {
  let running: RunningHub
  let expected: Held
  beforeAll(async () => {
    expected = await direct(script('r'))
  })
  beforeEach(async () => {
    running = await hub()
  })

  test('from its beginning to its end is told verbatim', async () => {
    const watching = reader(running, 'r', '?wait=20')
    const run = watching.run()
    const events = script('r')
    for (let at = 0; at < events.length; at += 5) await publish(running, 'r', events.slice(at, at + 5))
    await run
    expect(held(watching.agent)).toEqual(expected)
    const stream = await readStream(urlOf(running.url, 'r'), { as: VIEWER })
    await ended(stream)
    expect(stream.headers['content-type']).toBe('text/event-stream')
    expect(stream.told.map(({ data }) => JSON.parse(data!) as Said)).toEqual(events)
    expect(stream.told.every(({ id, event }) => id !== undefined && event === undefined)).toBe(true)
  })

  test.each(['', '?from=start', '?from=snapshot'])('joined late at any event of it, with \'%s\'', async (query) => {
    const length = script('r').length
    await Promise.all(Array.from({ length: length - 1 }, async (_, place) => {
      const runId = `r-${place}`
      const events = script(runId)
      await publish(running, runId, events.slice(0, place + 1))
      const late = reader(running, runId, query)
      const run = late.run()
      await late.begun
      await publish(running, runId, events.slice(place + 1))
      await run
      expect([place, held(late.agent)]).toEqual([place, await direct(events)])
    }))
  }, 60_000)

  test.each(['?from=start', '?from=snapshot'])('after its end, with \'%s\'', async (query) => {
    await publish(running, 'r', script('r'))
    const late = reader(running, 'r', query)
    await late.run()
    expect(held(late.agent)).toEqual(expected)
    expect(late.events.at(-1)).toMatchObject({ type: 'RUN_FINISHED', result: { ok: true } })
    expect(late.events.length < script('r').length / 2).toBe(query === '?from=snapshot')
  })

  test('cut anywhere and asked for again by the same client, or by a fresh one', async () => {
    const proxy = await startProxy({ port: Number(new URL(running.url).port) })
    proxies.push(proxy)
    for (const place of [2, 11, 13, 24, 26, 33]) {
      const runId = `cut-${place}`
      const said = script(runId)
      await publish(running, runId, said.slice(0, place))
      const cut = runReader(urlOf(`http://127.0.0.1:${proxy.port}`, runId), VIEWER)
      const first = cut.run()
      await eventually(() => cut.events.length >= place, 'what was said so far')
      proxy.cut('reset')
      await first
      await publish(running, runId, said.slice(place))
      // It sends along what it holds of the run: told all of it again, it would hold it twice.
      await cut.run()
      expect([place, held(cut.agent)]).toEqual([place, await direct(said)])
      const fresh = reader(running, runId)
      await fresh.run()
      expect([place, held(fresh.agent)]).toEqual([place, await direct(said)])
    }
  })

  test('leaves what only the client has to it', async () => {
    const events = script('r').map((event, place) => (place === 0 ? started('r') : event)).filter(({ type }) => !type.startsWith('STATE_'))
    const initial = { messages: [{ id: 'mine', role: 'user' as const, content: 'hello' }], state: { mine: true } }
    const whole = await direct(events, initial)
    await publish(running, 'r', events)
    for (const query of ['', '?from=snapshot']) {
      const late = reader(running, 'r', query, initial)
      await late.run()
      expect(held(late.agent)).toEqual(whole)
    }
  })

  test('is not mixed with another one of its thread', async () => {
    const [one, other] = [script('one'), script('other').map((event) => JSON.parse(JSON.stringify(event).replaceAll('"m1"', '"x1"')) as Said)]
    const readers = [reader(running, 'one', '?wait=20'), reader(running, 'other', '?wait=20')]
    const runs = readers.map((each) => each.run())
    for (const [place, event] of one.entries()) {
      await publish(running, 'one', [event])
      await publish(running, 'other', [other[place]!])
    }
    await Promise.all(runs)
    expect(readers.map(({ agent }) => held(agent))).toEqual([await direct(one), await direct(other)])
  })

  test('is long, and so joined by a snapshot unless all of it is asked for', async () => {
    const brief = await hub({ aguiReplayEvents: 10 })
    await publish(brief, 'r', script('r'))
    const counts = []
    for (const query of ['', '?from=start']) {
      const late = reader(brief, 'r', query)
      await late.run()
      expect(held(late.agent)).toEqual(expected)
      counts.push(late.events.length)
    }
    expect(counts[0]).toBeLessThan(10)
    expect(counts[1]).toBeGreaterThanOrEqual(script('r').length)
  })

  test('that begins anew under its id is another one', async () => {
    await publish(running, 'r', [started('r'), { type: 'TEXT_MESSAGE_START', messageId: 'old' }, { type: 'RUN_ERROR', message: 'crashed' }])
    const watching = await readStream(urlOf(running.url, 'r', '?from=start'), { as: VIEWER })
    await ended(watching)
    expect(JSON.parse(watching.told.at(-1)!.data!)).toEqual({ type: 'RUN_ERROR', message: 'crashed' })
    await publish(running, 'r', script('r').slice(0, 5))
    const late = reader(running, 'r')
    const run = late.run()
    await late.begun
    await publish(running, 'r', script('r').slice(5))
    await run
    expect(held(late.agent)).toEqual(expected)
    // Without an end of the one before, whoever follows that one is told.
    await publish(running, 'again', [started('again')])
    const following = await readStream(urlOf(running.url, 'again'), { as: VIEWER })
    await eventually(() => following.told.length === 1, 'its beginning')
    await publish(running, 'again', [started('again')])
    await ended(following)
    expect(JSON.parse(following.told.at(-1)!.data!)).toMatchObject({ type: 'RUN_ERROR', code: 'RUN_RESTARTED' })
  })

  test('goes on behind a cursor for whoever asks so, until it holds everything', async () => {
    const events = script('r')
    await publish(running, 'r', events)
    const whole = await readStream(urlOf(running.url, 'r'), { as: VIEWER })
    await ended(whole)
    const rest = await readStream(urlOf(running.url, 'r'), { as: VIEWER, headers: { 'last-event-id': whole.told[9]!.id! } })
    await ended(rest)
    expect(rest.told.map(({ data }) => JSON.parse(data!) as Said)).toEqual(events.slice(10))
    const nothing = await readStream(urlOf(running.url, 'r', `?since=${rest.told.at(-1)!.id}`), { as: VIEWER })
    expect(nothing.status).toBe(204)
  })

  test('is refused before it begins, with a status', async () => {
    const refused = async (path: string, as = VIEWER, json?: unknown) => {
      const { status, body } = await ask(`${running.url}/api/v1/runs/${path}`, { as, ...(json !== undefined && { json }) })
      return [status, body.error?.code]
    }
    expect(await refused('nobody/agui')).toEqual([404, 'NOT_FOUND'])
    expect(await refused('nobody/agui?wait=0.2')).toEqual([404, 'NOT_FOUND'])
    expect(await refused('nobody/agui?wait=61')).toEqual([400, 'INVALID_MESSAGE'])
    expect(await refused('nobody/agui?from=middle')).toEqual([400, 'INVALID_MESSAGE'])
    expect(await refused('nobody/agui?since=all')).toEqual([400, 'INVALID_CURSOR'])
    expect(await refused('*/agui')).toEqual([400, 'INVALID_TOPIC'])
    await publish(running, 'r', script('r'))
    expect(await refused('r/agui', token({ sub: 'x', role: 'viewer', permissions: ['subscribe:run:other'] }))).toEqual([403, 'INSUFFICIENT_PERMISSIONS'])
    expect(await refused('r/agui', token({ project: 'other' }))).toEqual([404, 'NOT_FOUND'])
    const { status } = await ask(urlOf(running.url, 'r'), { as: VIEWER, method: 'POST', body: '{' })
    expect(status).toBe(400)
  })

  test('ends with a RUN_ERROR when the worker stops or the credential does', async () => {
    await publish(running, 'r', script('r').slice(0, 5))
    const short = await readStream(urlOf(running.url, 'r'), { as: token({ sub: 'page', role: 'viewer', exp: Math.floor(Date.now() / 1000) + 1 }) })
    await ended(short)
    expect(JSON.parse(short.told.at(-1)!.data!)).toMatchObject({ type: 'RUN_ERROR', code: 'AUTH_TOKEN_EXPIRED' })
    const long = await readStream(urlOf(running.url, 'r'), { as: VIEWER })
    await running.close()
    await ended(long)
    expect(JSON.parse(long.told.at(-1)!.data!)).toMatchObject({ type: 'RUN_ERROR', code: 'UNAVAILABLE' })
  })
})

/** Others' events until nothing of the run before here is left. */
async function forget(running: RunningHub, runId: string): Promise<void> {
  await eventually(async () => {
    await ask(`${running.url}/api/v1/events`, { as: token(), json: Array.from({ length: 20 }, () => ({ type: 'custom.noise', data: {} })) })
    const { body } = await ask(`${running.url}/api/v1/history?topics=run:${runId}&types=agui.*&since=all`, { as: token() })
    return (body['events'] as { event: HubEvent }[]).length === 0
  }, 'the trimming of the run', 20_000, 50)
}

describe('a run that the journal no longer holds whole', () => {
  const FORGETFUL = { retentionMs: 400, retentionCount: 12 }

  /** What the producer says of itself, at the place. */
  async function snapshots(events: readonly Said[]): Promise<Said[]> {
    const { messages, state } = await direct(events)
    return [{ type: 'MESSAGES_SNAPSHOT', messages }, { type: 'STATE_SNAPSHOT', snapshot: state }]
  }

  test.each([11, 13, 14, 22])('is told from later snapshots on, trimmed behind its event %i', async (place) => {
    const running = await hub(FORGETFUL)
    const events = script('r')
    await publish(running, 'r', events.slice(0, place))
    await forget(running, 'r')
    const told = await snapshots(events.slice(0, place))
    await publish(running, 'r', [...told, ...events.slice(place, place + 2)])
    const late = reader(running, 'r')
    const run = late.run()
    await late.begun
    await publish(running, 'r', events.slice(place + 2))
    await run
    expect(held(late.agent)).toEqual(await direct([...events.slice(0, place), ...told, ...events.slice(place)]))
    expect(late.events[0]).toMatchObject({ type: 'RUN_STARTED', runId: 'r', threadId: 't' })
    expect(late.events.at(-1)).toMatchObject({ type: 'RUN_FINISHED' })
  })

  test('is told to be lost where there are none', async () => {
    const running = await hub(FORGETFUL)
    const events = script('r')
    await publish(running, 'r', events.slice(0, 12))
    await forget(running, 'r')
    const lost = async () => {
      const late = reader(running, 'r')
      await late.run()
      return late.events
    }
    // Known, but for its events.
    expect(await lost()).toEqual([expect.objectContaining({ type: 'RUN_ERROR', code: 'REPLAY_GAP' })])
    await publish(running, 'r', [...(await snapshots(events.slice(0, 12))).slice(0, 1), ...events.slice(12, 14)])
    expect(await lost()).toEqual([expect.objectContaining({ type: 'RUN_ERROR', code: 'REPLAY_GAP' })])
  })
})

describe('a slow reader of a run', () => {
  const bulk = (place: number): Said => ({ type: 'CUSTOM', name: 'bulk', value: `${place} ${'x'.repeat(50_000)}` })
  const whole = (count: number): Said[] => [started('r'), { type: 'TEXT_MESSAGE_START', messageId: 'm', role: 'assistant' }, { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: 'long' }, ...Array.from({ length: count }, (_, place) => bulk(place)), { type: 'TEXT_MESSAGE_END', messageId: 'm' }]
  const metric = async (running: RunningHub, name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec((await ask(`${running.url}/metrics`)).text)?.[1] ?? 0)

  test('misses nothing, and reads the rest from the journal', async () => {
    const running = await hub()
    const events = [...whole(400), finished('r')]
    await publish(running, 'r', events.slice(0, 2))
    const slow = await readStream(urlOf(running.url, 'r'), { as: VIEWER })
    await eventually(() => slow.told.length === 2, 'the beginning')
    slow.pause()
    for (let at = 2; at < events.length; at += 20) await publish(running, 'r', events.slice(at, at + 20))
    await eventually(async () => (await metric(running, 'hubbub_catchups_total{cause="slow"}')) > 0, 'its falling behind')
    slow.resume()
    await ended(slow)
    expect(slow.told.map(({ data }) => JSON.parse(data!) as Said)).toEqual(events)
  }, 30_000)

  test.each([true, false])('that fell behind what the journal holds goes on from later snapshots, should there be some: %s', async (hasSnapshots) => {
    const running = await hub({ retentionMs: 200, retentionCount: 20, windowEvents: 100, windowBytes: 65_536 })
    const events = whole(400)
    await publish(running, 'r', events.slice(0, 2))
    const slow = await readStream(urlOf(running.url, 'r'), { as: VIEWER })
    await eventually(() => slow.told.length === 2, 'the beginning')
    slow.pause()
    for (let at = 2; at < events.length; at += 20) await publish(running, 'r', events.slice(at, at + 20))
    await eventually(async () => (await metric(running, 'hubbub_catchups_total{cause="slow"}')) > 0, 'its falling behind')
    const last: Said[] = [{ type: 'TEXT_MESSAGE_START', messageId: 'm9' }, { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm9', delta: 'ab' }]
    const told: Said[] = [{ type: 'MESSAGES_SNAPSHOT', messages: [{ id: 'm', role: 'assistant', content: 'short' }, { id: 'm9', role: 'assistant', content: 'ab' }] }, { type: 'STATE_SNAPSHOT', snapshot: { n: 1 } }]
    const rest: Said[] = [{ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm9', delta: 'cd' }, { type: 'TEXT_MESSAGE_END', messageId: 'm9' }, finished('r')]
    await forget(running, 'r')
    await publish(running, 'r', [...last, ...(hasSnapshots ? told : [])])
    slow.resume()
    if (hasSnapshots) await publish(running, 'r', rest)
    await ended(slow)
    const heard = slow.told.map(({ data }) => JSON.parse(data!) as Said)
    if (hasSnapshots) {
      expect(await direct(heard)).toEqual(await direct([...events, ...last, ...told, ...rest]))
      expect(heard.at(-1)).toEqual(finished('r'))
    } else expect(heard.at(-1)).toMatchObject({ type: 'RUN_ERROR', code: 'REPLAY_GAP' })
  }, 30_000)
})
