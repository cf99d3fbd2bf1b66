/** What the hub sends, through a link without a wire: batches and compressed events. */
import type { Client, HubError, HubEvent } from '@hubbub/client'
import { gzipSync } from 'fflate'
import { HubClient } from '../../client-sdk/typescript/src/connect.js'
import type { Link, LinkEvents, Requests } from '../../client-sdk/typescript/src/link.js'
import { settle } from '../../client-sdk/typescript/src/options.js'

const at = (n: number): string => `e.1-${n}`
const event = (n: number, data: unknown = { n }): HubEvent => ({ id: String(n), type: 'custom.x', timestamp: 0, project: 'default', topics: ['task:1'], data, metadata: { version: '1.0', source: '/x', recordedAt: 0 } })
const packed = (n: number, data: unknown): HubEvent => {
  const whole = event(n, Buffer.from(gzipSync(new TextEncoder().encode(typeof data === 'string' ? data : JSON.stringify(data)))).toString('base64'))
  return { ...whole, metadata: { ...whole.metadata, compressed: true } as HubEvent['metadata'] }
}

describe('what the hub sends', () => {
  let client: Client
  let send: LinkEvents['message']
  let asked: [string, unknown][]
  let errors: HubError[]
  let heard: HubEvent[]

  const start = async (options: { batchMs?: number; latestOnly?: boolean } = {}): Promise<{ cursor: string | undefined; heard: HubEvent[] }> => {
    asked = []
    errors = []
    heard = []
    client = new HubClient(settle({}), (events) => {
      send = (name, args) => events.message(name, args)
      let isOpen = false
      const link: Link = {
        get isOpen() {
          return isOpen
        },
        transport: 'websocket',
        open: () =>
          queueMicrotask(() => {
            isOpen = true
            events.opened(false)
          }),
        close: () => undefined,
        request: (name, payload, { heard: hear } = {}) => {
          asked.push([name, payload])
          const answer = { ok: true, subscriptionId: 's', topics: ['task:1'], activeSubscriptions: 1, cursor: at(0) } as unknown as { ok: true } & Requests[typeof name][1]
          hear?.(answer)
          return Promise.resolve(answer)
        },
      }
      return link
    })
    client.onError((error) => errors.push(error))
    client.on('*', (one) => heard.push(one))
    const subscription = await client.subscribe({ topics: ['task:1'], ...options })
    const own: HubEvent[] = []
    subscription.on((one) => own.push(one))
    send('hub.cursor', [at(0)])
    return {
      get cursor() {
        return subscription.cursor
      },
      heard: own,
    }
  }
  afterEach(() => client.close())

  it('may be gathered, if that was asked for, and is handed on one by one', async () => {
    const subscription = await start({ batchMs: 200, latestOnly: true })
    expect(asked).toEqual([['subscribe', { topics: ['task:1'], batchMs: 200, latestOnly: true }]])
    send('events', [[{ event: event(1), cursor: at(1) }, { event: packed(2, { n: 2 }), cursor: at(2) }], at(3)])
    send('custom.x', [event(4), at(4)])
    send('custom.x', [event(5), at(5)])
    for (const list of [heard, subscription.heard]) expect(list).toEqual([event(1), event(2), event(4), event(5)])
    expect([subscription.cursor, client.cursor]).toEqual([at(5), at(5)])
  })

  it('may be nonsense, and harms nobody', async () => {
    await start()
    for (const name of ['events', 'signal', 'command', 'hub.cursor', 'custom.x']) {
      for (const args of [[], [null], [[null, {}, { event: 1, cursor: 2 }], 'x'], [{}, {}]]) expect(() => send(name, args)).not.toThrow()
    }
    expect(heard).toEqual([])
  })

  it('may be compressed, and is handed on as it was', async () => {
    await start()
    const data = { text: 'ä€😀'.repeat(5000), deep: [{ n: 1 }, null] }
    send('custom.x', [packed(1, data), at(1)])
    expect(heard).toEqual([event(1, data)])
    expect(errors).toEqual([])
  })

  it('may be too large when it is unpacked, or broken: it is told, and everything behind it comes', async () => {
    const subscription = await start()
    send('custom.x', [packed(1, JSON.stringify('0'.repeat(50_000_000))), at(1)])
    send('custom.x', [packed(2, 'no json'), at(2)])
    send('custom.x', [{ ...packed(3, {}), data: '!!!' }, at(3)])
    send('custom.x', [{ ...packed(4, {}), data: 'AAAA' }, at(4)])
    const whole = packed(5, { text: 'cut short '.repeat(100) })
    send('custom.x', [{ ...whole, data: (whole.data as string).slice(0, 40) }, at(5)])
    expect(subscription.cursor).toBe(at(5))
    send('custom.x', [event(6), at(6)])
    expect(errors.map(({ code }) => code)).toEqual(['PAYLOAD_TOO_LARGE', 'INVALID_MESSAGE', 'INVALID_MESSAGE', 'INVALID_MESSAGE', 'INVALID_MESSAGE'])
    expect(heard).toEqual([event(6)])
  })
})
