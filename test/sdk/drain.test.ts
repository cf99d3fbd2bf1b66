import { drainOnSignals, type Client, type TaskContext } from '@hubbub/client'
import { createFakeHub, type FakeHub } from '@hubbub/client/testing'
import { eventually } from '../harness/eventually.js'

describe('the end of an agent', () => {
  let hub: FakeHub
  let client: Client
  beforeEach(() => {
    hub = createFakeHub()
    client = hub.client({ reconnect: { minMs: 1, maxMs: 5 } })
  })
  afterEach(() => client.close())

  it('by draining: finishes what it has, gives back the rest, and closes', async () => {
    const begun: string[] = []
    let finish: (() => void) | undefined
    const agent = client.agent({ id: 'a', queue: 5 }).onTask((task) => {
      begun.push(task.id)
      return new Promise((resolve) => (finish = () => resolve('finished')))
    })
    const inHand = hub.delegate('a', { id: 'in-hand' })
    await eventually(() => finish)
    const waiting = hub.delegate('a', { id: 'waiting' })
    const drained = agent.drain()
    const late = hub.delegate('a', { id: 'late' })
    expect(await Promise.all([waiting.outcome(), late.outcome()])).toMatchObject([{ data: { reason: 'draining' } }, { data: { reason: 'draining' } }])
    expect([agent.state, client.state]).toEqual(['draining', 'live'])
    hub.disconnect()
    finish!()
    hub.reconnect()
    await drained
    expect(inHand.reports.at(-1)).toMatchObject({ type: 'task.result', data: { result: 'finished' } })
    expect([agent.state, client.state, begun]).toEqual(['closed', 'closed', ['in-hand']])
    await expect(agent.drain()).resolves.toBeUndefined()
  })

  it('by its client\'s: aborts its work and reports nothing', async () => {
    let context: TaskContext | undefined
    const agent = client.agent({ id: 'a' }).onTask((_task, given) => {
      context = given
      return new Promise((_resolve, reject) => given.signal.addEventListener('abort', () => reject(new Error('aborted'))))
    })
    const delegation = hub.delegate('a', { id: 'T' })
    await eventually(() => context)
    client.close()
    expect([context!.signal.aborted, agent.state]).toEqual([true, 'closed'])
    await agent.drain()
    expect(delegation.reports.map(({ type }) => type)).toEqual(['task.accepted'])
  })

  it('by draining for so long at most: what is still in hand is aborted', async () => {
    let context: TaskContext | undefined
    const agent = client.agent({ id: 'a' }).onTask((_task, given) => {
      context = given
      return new Promise(() => undefined)
    })
    const delegation = hub.delegate('a', { id: 'T' })
    await eventually(() => context)
    await agent.drain({ timeoutMs: 30 })
    expect([context!.signal.aborted, agent.state, client.state]).toEqual([true, 'closed', 'closed'])
    expect(delegation.reports.map(({ type }) => type)).toEqual(['task.accepted'])
  })

  it('by a signal of its process: drains on the first one, and listens no more', async () => {
    const agent = client.agent({ id: 'a' })
    const before = process.listenerCount('SIGUSR2')
    drainOnSignals(agent, ['SIGUSR2', 'SIGTTIN'])
    expect(process.listenerCount('SIGUSR2')).toBe(before + 1)
    process.emit('SIGUSR2', 'SIGUSR2')
    await eventually(() => agent.state === 'closed')
    expect([process.listenerCount('SIGUSR2'), process.listenerCount('SIGTTIN')]).toEqual([before, 0])
    const stop = drainOnSignals(agent, ['SIGUSR2'])
    stop()
    expect(process.listenerCount('SIGUSR2')).toBe(before)
  })
})
