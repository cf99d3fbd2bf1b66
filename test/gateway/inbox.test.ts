/** An agent's mail at the gateway: who has it, beside what it stands, and where it begins. `path/inbox.test.ts` goes across workers. */
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import type { Tap } from '../harness/tap.js'
import { token } from '../harness/token.js'
import { agent, client, drop, hub, service } from './agentHub.js'

/** A letter, by a service that may put it there. */
async function write(from: Tap, id: string, to = 'coder', topics: string[] = []): Promise<void> {
  await from.must('publish', { id, type: 'custom.letter', data: {}, topics: [`inbox:${to}`, ...topics] })
}

const letters = (reader: Tap) => reader.events.filter(({ event }) => event.type === 'custom.letter').map(({ event }) => event.id)

describe('an agent\'s mail', () => {
  test('comes without subscribing, counts against no limit, and stays when everything else is dropped', async () => {
    const running = await hub({ maxSubscriptions: 1 })
    const [planner, coder] = [await service(running), await agent(running)]
    await write(planner, 'first')
    await coder.hears('first')
    expect(await coder.must('subscribe', { topics: ['task:1'] })).toMatchObject({ activeSubscriptions: 1 })
    expect(await coder.call('subscribe', { topics: ['task:2'] })).toMatchObject({ ok: false, error: { code: 'SUBSCRIPTION_LIMIT' } })
    expect(await coder.must('unsubscribe', {})).toMatchObject({ activeSubscriptions: 0 })
    expect(await coder.call('unsubscribe', { topics: ['inbox:coder'] })).toMatchObject({ ok: false, error: { code: 'NOT_SUBSCRIBED' } })
    expect(await coder.call('unsubscribe', { subscriptionId: 'inbox' })).toMatchObject({ ok: false, error: { code: 'NOT_SUBSCRIBED' } })
    await write(planner, 'second')
    await coder.hears('second')
    expect(letters(coder)).toEqual(['first', 'second'])
    const status = await ask(`${running.url}/api/v1/websocket/status`, { as: token() })
    expect(status.body).toMatchObject({ total: 2, active: 0 })
  })

  test('is nobody else\'s: no other agent, no viewer, no service of the same name gets it (I6)', async () => {
    const running = await hub()
    const planner = await service(running)
    const others = [await agent(running, 'coder2'), await client(running, { sub: 'coder', role: 'viewer' }), await client(running, { sub: 'coder', role: 'service' })]
    for (const other of others) await other.must('subscribe', { topics: ['*'] })
    const coder = await agent(running)
    await write(planner, 'secret')
    await coder.hears('secret')
    await planner.must('publish', { id: 'open', type: 'custom.note', data: {}, topics: ['task:1'] })
    for (const other of others) await other.hears('open')
    for (const other of others) expect(other.ids()).not.toContain('secret')
    expect(coder.ids()).toEqual(['secret'])
  })

  test('stands among the other events in journal order, once however often it was asked for (I1)', async () => {
    const running = await hub({ gatherMs: 0 })
    const [planner, coder, peer] = [await service(running), await agent(running), await agent(running, 'peer')]
    for (const reader of [coder, peer]) await reader.must('subscribe', { topics: ['task:1'], types: ['custom.*'] })
    await coder.must('subscribe', { topics: ['inbox:coder'] })
    const inputs = Array.from({ length: 300 }, (_, n) => ({ id: `${n}`, type: 'custom.letter', data: {}, topics: n % 3 === 0 ? ['inbox:coder', 'task:1'] : n % 3 === 1 ? ['task:1'] : ['inbox:coder'] }))
    await planner.must('publish', inputs)
    await eventually(() => letters(coder).length >= 300 && letters(peer).length >= 200)
    expect(letters(coder)).toEqual(inputs.map(({ id }) => id))
    expect(letters(peer)).toEqual(inputs.filter((_, n) => n % 3 !== 2).map(({ id }) => id))
  })

  test('that came while it was away comes first, in order and once, to a fresh session; later subscriptions count from later', async () => {
    const running = await hub()
    const planner = await service(running)
    const before = await agent(running)
    await write(planner, 'old')
    await before.hears('old')
    before.close()
    await write(planner, 'one', 'coder', ['task:1'])
    await planner.must('publish', { id: 'aside', type: 'custom.note', data: {}, topics: ['task:1'] })
    await write(planner, 'two')
    const after = await agent(running)
    await after.must('subscribe', { topics: ['task:*'] })
    await write(planner, 'three')
    await after.hears('three')
    expect(after.ids()).toEqual(['one', 'two', 'three'])
    expect(after.packets.some((packet) => packet.includes('"gap"'))).toBe(false)
  })

  test('finds an agent that nobody knew when it was written', async () => {
    const running = await hub()
    const planner = await service(running)
    await write(planner, 'one', 'newcomer')
    await write(planner, 'two', 'newcomer')
    const newcomer = await agent(running, 'newcomer')
    await newcomer.hears('two')
    expect(newcomer.ids()).toEqual(['one', 'two'])
  })

  test('comes with the session when it is resumed', async () => {
    const running = await hub()
    const planner = await service(running)
    const coder = await agent(running, 'coder', {}, { reconnection: true })
    await write(planner, 'one')
    await coder.hears('one')
    drop(coder)
    await eventually(() => !coder.socket.connected, 'the end of the connection')
    await write(planner, 'two')
    await coder.hears('two')
    expect(coder.socket.recovered).toBe(true)
    await write(planner, 'three')
    await coder.hears('three')
    expect(coder.ids()).toEqual(['one', 'two', 'three'])
  })

  test('cannot be had by an agent whose name fits no topic; it is connected all the same', async () => {
    const running = await hub()
    const odd = await agent(running, 'a*b')
    expect(await odd.must('subscribe', { topics: ['task:1'] })).toMatchObject({ activeSubscriptions: 1 })
    expect(odd.events).toEqual([])
  })
})
