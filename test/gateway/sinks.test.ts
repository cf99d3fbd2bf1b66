/** Outgoing webhooks through a whole hub: what is delivered, how it is retried, and how a sink is steered. */
import { fromCloudEvent, type HubEvent } from '@hubbub/protocol'
import { eventually } from '../harness/eventually.js'
import { startReceiver, verified, type Receiver } from './sinksReceiver.js'
import { progress, sinkScene, upTo } from './sinksScene.js'

const scene = sinkScene()

describe('a sink', () => {
  test('gets each event of its topics, in order, byte for byte, signed, from now on', async () => {
    await scene.hub.publish(progress(-1))
    const sink = await scene.add()
    expect(sink).toMatchObject({ id: expect.stringMatching(/^snk_/), secret: expect.stringMatching(/^whsec_/), status: 'active', attempts: 0 })
    await scene.hub.publish(...upTo(50).map((n) => progress(n)))
    await scene.hub.publish({ type: 'custom.other', data: {} })
    await scene.receiver.holds(50)
    expect(scene.seqs()).toEqual(upTo(50))
    const { events } = await scene.hub.get<{ events: { event: HubEvent; cursor: string }[] }>('/api/v1/history?topics=task:*&since=all&limit=1000')
    for (const { headers, body, event } of scene.receiver.taken) {
      const stood = events.find((one) => one.event.id === event.id)!
      expect(body).toBe(JSON.stringify(stood.event))
      expect(headers).toMatchObject({
        'hubbub-event-id': event.id, 'idempotency-key': event.id, 'webhook-id': event.id, 'hubbub-event-type': 'task.progress', 'hubbub-sink-id': sink.id,
        'hubbub-cursor': stood.cursor, 'hubbub-attempt': '1', 'content-type': 'application/json; charset=utf-8', 'user-agent': expect.stringMatching(/^Hubbub\//),
      })
      expect(verified(sink.secret, { headers, body })).toBe(true)
      expect(verified(sink.secret, { headers, body: `${body} ` })).toBe(false)
    }
    const shown = await eventually(async () => (await scene.show(sink.id)).deliveries === 50 && (await scene.show(sink.id)), 'the deliveries being counted')
    expect(shown).toMatchObject({ status: 'active', cursor: scene.receiver.taken.at(-1)!.headers['hubbub-cursor'], lag: { events: 0, ms: 0 }, hasSecret: true, deliveredAt: expect.any(Number) })
    expect(JSON.stringify(shown)).not.toContain(sink.secret.slice(6))
  })

  test('gets what `since` asks for first, and only what types and filter let through', async () => {
    await scene.hub.publish(...upTo(10).map((n) => progress(n, 'T-since')))
    await scene.add({ topics: ['task:T-since'], types: ['task.progress'], filter: { seq: 7 }, since: 'all' })
    await scene.hub.publish(progress(7, 'T-since'), progress(8, 'T-since'))
    await scene.receiver.holds(2)
    expect(scene.seqs()).toEqual([7, 7])
  })

  test('gets CloudEvents if it asks for them, with its own headers and secret', async () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    const sink = await scene.add({ format: 'cloudevents', secret, id: 'cloud', headers: { Authorization: 'Bearer x', 'X-Team': 'a' } })
    expect(sink).toMatchObject({ id: 'cloud', headers: ['authorization', 'x-team'] })
    await scene.hub.publish(progress(1))
    await scene.receiver.holds(1)
    const [{ headers, body }] = scene.receiver.taken as [(typeof scene.receiver.taken)[0]]
    expect(headers).toMatchObject({ authorization: 'Bearer x', 'x-team': 'a', 'content-type': 'application/cloudevents+json; charset=utf-8' })
    expect(fromCloudEvent(JSON.parse(body))).toMatchObject({ type: 'task.progress', project: 'default', data: { seq: 1 } })
    expect(verified(secret, { headers, body })).toBe(true)
  })

  test('speaks to a chat in one line', async () => {
    await scene.add({ format: 'slack', topics: ['task:chat'] })
    await scene.add({ format: 'discord', topics: ['task:chat'], template: '{{data.taskId}} is *{{data.status}}*' })
    await scene.hub.publish({ type: 'task.failed', data: { taskId: 'chat', status: 'failed', error: 'see <!channel> @everyone `rm`', url: 'https://ci.example/1?a=1&b=2' } })
    await scene.receiver.holds(2)
    const texts = scene.receiver.taken.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    expect(texts).toContainEqual({ text: 'task.failed chat (failed): see &lt;!channel&gt; @\u200beveryone ˋrmˋ <https://ci.example/1?a=1&amp;b=2>', mrkdwn: false, unfurl_links: false })
    expect(texts).toContainEqual({ content: 'chat is *failed*', allowed_mentions: { parse: [] } })
  })
})

describe('a receiver that does not take an event', () => {
  test('is tried again, with the next attempt\'s number, and gets nothing else before', async () => {
    scene.receiver.answer = ({ event, headers }) => (event.data['seq'] === 2 && Number(headers['hubbub-attempt']) < 4 ? 500 : 200)
    const sink = await scene.add()
    await scene.hub.publish(...upTo(5).map((n) => progress(n)))
    await scene.receiver.holds(5)
    expect(scene.seqs()).toEqual(upTo(5))
    expect(scene.receiver.received.map(({ event, headers }) => `${String(event.data['seq'])}/${headers['hubbub-attempt']}`)).toEqual(['0/1', '1/1', '2/1', '2/2', '2/3', '2/4', '3/1', '4/1'])
    expect(new Set(scene.receiver.received.filter(({ event }) => event.data['seq'] === 2).map(({ body }) => body)).size).toBe(1)
    await eventually(async () => (await scene.show(sink.id)).status === 'active' && (await scene.show(sink.id)).attempts === 0, 'the failure being over')
  })

  test('is shown as failing meanwhile, with what it answered; a redirect is not followed, a slow answer is a failure', async () => {
    const elsewhere = await startReceiver()
    const sink = await scene.add()
    for (const [answer, message] of [
      [() => [302, { location: elsewhere.url }], 'The receiver answered 302, a redirect, which is not followed.'],
      [() => undefined, 'No answer within 400 ms.'],
      [(_: unknown, response: { destroy(): void }) => {
        response.destroy()
        return undefined
      }, 'The connection failed: ECONNRESET.'],
    ] as [Receiver['answer'], string][]) {
      scene.receiver.answer = answer
      await scene.hub.publish(progress(1))
      const shown = await eventually(async () => {
        const one = await scene.show(sink.id)
        return one.lastError?.message === message && one
      }, message)
      expect(shown).toMatchObject({ status: 'failing', attempts: expect.any(Number), lag: { events: expect.any(Number) } })
      expect(shown.lag.events).toBeGreaterThan(0)
    }
    scene.receiver.answer = () => 200
    await scene.receiver.holds(3)
    expect(elsewhere.received).toEqual([])
    await elsewhere.shut()
  })

  test('is given the time that it asks for', async () => {
    scene.receiver.answer = ({ headers }) => (headers['hubbub-attempt'] === '1' ? [429, { 'retry-after': '1' }] : 200)
    await scene.add()
    await scene.hub.publish(progress(1))
    await scene.receiver.holds(1)
    const [first, second] = scene.receiver.received
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(990)
  })

  test('that is gone pauses the sink at once; the project is told, and it goes on from there when it is resumed', async () => {
    scene.receiver.answer = ({ event }) => (event.data['seq'] === 3 ? 410 : 200)
    const sink = await scene.add()
    await scene.hub.publish(...upTo(10).map((n) => progress(n)))
    const paused = await eventually(async () => {
      const one = await scene.show(sink.id)
      return one.status === 'paused' && one
    }, 'the sink being paused')
    expect(paused).toMatchObject({ reason: 'The receiver answered 410: it is gone.', cursor: scene.receiver.taken.at(-1)!.headers['hubbub-cursor'], lag: { events: 7 } })
    expect(scene.seqs()).toEqual([0, 1, 2])
    const alert = await eventually(async () => (await scene.hub.get<{ events: { event: HubEvent }[] }>('/api/v1/history?topics=system&since=all')).events[0], 'the alert')
    expect(alert.event).toMatchObject({ type: 'system.alert', data: { component: `sink:${sink.id}`, severity: 'warning', message: expect.stringContaining('410') } })
    scene.receiver.answer = () => 200
    expect(await scene.steer(sink.id, 'resume')).toMatchObject({ status: 'active', attempts: 0 })
    await scene.receiver.holds(10)
    expect(scene.seqs()).toEqual(upTo(10))
  })

  test('loses nothing and gets nothing twice through a pause by hand, which is at once', async () => {
    const sink = await scene.add()
    let answer: (() => void) | undefined
    scene.receiver.answer = (received, response) => {
      if (received.event.data['seq'] !== 5) return 200
      answer = () => {
        scene.receiver.taken.push(received)
        response.writeHead(200).end()
      }
      return undefined
    }
    await scene.hub.publish(...upTo(10).map((n) => progress(n)))
    await eventually(() => answer, 'the request to be under way')
    expect(await scene.steer(sink.id, 'pause')).toMatchObject({ status: 'paused', reason: 'paused by engine' })
    answer!()
    await eventually(async () => (await scene.show(sink.id)).worker === undefined, 'the delivery having ended')
    await scene.hub.publish(...upTo(5, 10).map((n) => progress(n)))
    expect(scene.seqs()).toEqual(upTo(6))
    await scene.steer(sink.id, 'resume')
    await scene.receiver.holds(15)
    expect(scene.seqs()).toEqual(upTo(15))
    expect(scene.receiver.received).toHaveLength(15)
  })
})
