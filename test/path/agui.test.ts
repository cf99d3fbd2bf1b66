/** I2 for readers of streams: the worker that tells is killed in the middle, and the stock clients, AG-UI's and EventSource, have in the end what they should. */
import { EventSource } from 'eventsource'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { createProducer, overHttp } from '../harness/producer.js'
import { startProxy } from '../harness/proxy.js'
import { token } from '../harness/token.js'
import { applied, held, quietClient, runReader, type Said } from '../gateway/aguiClient.js'
import { finished, script } from '../gateway/aguiScript.js'

quietClient()

describe('readers whose worker is killed', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster({ workers: 3, processors: 1, env: { HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000' } })
  }, 60_000)
  afterAll(() => cluster.stop('kill'))

  /** The script, with a long message in the middle of which the worker dies. */
  function longRun(runId: string): Said[] {
    const words = Array.from({ length: 300 }, (_, place) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'long', delta: `word-${place} ` }))
    return [...script(runId).slice(0, -1), { type: 'TEXT_MESSAGE_START', messageId: 'long' }, ...words, { type: 'TEXT_MESSAGE_END', messageId: 'long' }, finished(runId)]
  }

  async function publish(url: string, runId: string, events: readonly Said[]): Promise<void> {
    for (let place = 0; place < events.length; place += 4) {
      const response = await fetch(`${url}/api/v1/runs/${runId}/events`, {
        method: 'POST', headers: { authorization: `Bearer ${token()}`, 'content-type': 'application/json', 'idempotency-key': `${runId}-${place}` }, body: JSON.stringify(events.slice(place, place + 4)),
      })
      if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
      await response.arrayBuffer()
    }
  }

  test('read runs to their end on another worker, the same clients and fresh ones', async () => {
    const [dying, , other] = cluster.workers
    const proxy = await startProxy({ port: dying!.port })
    const url = `http://${proxy.host}:${proxy.port}`
    const runs = ['one', 'two'].map((runId) => ({ runId, events: longRun(runId) }))
    const readers = runs.map(({ runId }) => runReader(`${url}/api/v1/runs/${runId}/agui?wait=20`, token()))
    const first = readers.map((reader) => reader.run())
    const publishing = runs.map(({ runId, events }) => publish(other!.url, runId, events))
    await eventually(() => readers.every(({ events }) => events.length > 120), 'both runs to be under way', 40_000)
    await dying!.kill('SIGKILL')
    proxy.retarget(other!.port)
    await Promise.all(first)
    expect(readers.map(({ events }) => events.some(({ type }) => /^RUN_FINISHED$/.test(type)))).toEqual([false, false])
    // What a client does that was cut: it asks again, until it has heard the end.
    await Promise.all(readers.map((reader) => reader.run()))
    await Promise.all(publishing)
    for (const [place, { runId, events }] of runs.entries()) {
      const expected = await applied(events)
      expect(readers[place]!.events.at(-1)).toMatchObject({ type: 'RUN_FINISHED', runId })
      expect(held(readers[place]!.agent)).toEqual(expected)
      const fresh = runReader(`${url}/api/v1/runs/${runId}/agui`, token())
      await fresh.run()
      expect(held(fresh.agent)).toEqual(expected)
    }
    await proxy.close()
  }, 120_000)

  test('are an EventSource each, which misses nothing and hears nothing twice', async () => {
    const [, dying, other] = cluster.workers
    const proxy = await startProxy({ port: dying!.port })
    const coder = createProducer({ name: 'coder', send: overHttp(() => other!.url, token({ sub: 'coder', role: 'agent' })) })
    const heard: { id: string; offset: string }[] = []
    const gaps: unknown[] = []
    const source = new EventSource(`http://${proxy.host}:${proxy.port}/api/v1/stream?topics=task:1&token=${token()}`)
    source.addEventListener('task.progress', ({ data, lastEventId }) => void heard.push({ id: (JSON.parse(String(data)) as { id: string }).id, offset: lastEventId.split('.')[1]! }))
    source.addEventListener('gap', ({ data }) => void gaps.push(data))
    await new Promise((resolve) => source.addEventListener('hub.cursor', resolve, { once: true }))
    const publishing = coder.publish(2000, '1')
    await eventually(() => heard.length > 200, 'the first events')
    await dying!.kill('SIGKILL')
    proxy.retarget(other!.port)
    await publishing
    await eventually(() => heard.length >= 2000, 'all events', 20_000)
    expect(heard.map(({ id, offset }) => [id, offset])).toEqual([...coder.acked])
    expect(gaps).toEqual([])
    source.close()
    await proxy.close()
  }, 60_000)
})
