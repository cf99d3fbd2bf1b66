/** A session that the hub resumed, while a subscription was not joined yet: on a link that does what the test says. */
import type { Answer, HubEvent, SubscribeRequest, SubscribeResult } from '@hubbub/protocol'
import { HubClient } from '../../client-sdk/typescript/src/connect.js'
import type { Link, LinkEvents } from '../../client-sdk/typescript/src/link.js'
import { settle } from '../../client-sdk/typescript/src/options.js'
import { eventually } from '../harness/eventually.js'

const at = (n: number): string => `e.1-${n}`
const event = (n: number): HubEvent => ({ id: String(n), type: 'custom.x', timestamp: 0, project: 'default', topics: ['task:1'], data: {}, metadata: { version: '1.0', source: '/x', recordedAt: 0 } })
const PAGE = 8
const ALL = 40

describe('a subscription that waits for its consumer when the connection ends', () => {
  it('reads on when the session is resumed', async () => {
    let link: LinkEvents | undefined
    let isOpen = false
    const asked: SubscribeRequest[] = []
    const client = new HubClient(settle({ bufferLimit: 10 }), (told): Link => {
      link = told
      return {
        get isOpen() {
          return isOpen
        },
        transport: 'websocket',
        open: () => undefined,
        close: () => undefined,
        async request(_name, payload, { heard } = {}) {
          const { since } = payload as SubscribeRequest
          asked.push(payload as SubscribeRequest)
          // So that whoever subscribed may begin to read before the next page.
          await new Promise((resolve) => setImmediate(resolve))
          const from = since === 'all' ? 0 : Number((since as string).split('-')[1])
          const events = Array.from({ length: Math.min(PAGE, ALL - from) }, (_, n) => ({ event: event(from + n + 1), cursor: at(from + n + 1) }))
          const more = from + PAGE < ALL
          const result: SubscribeResult = { topics: ['task:1'], activeSubscriptions: 1, cursor: at(from + events.length), events, more, ...(!more && { subscriptionId: 's' }) }
          const answer = { ok: true, ...result } as unknown as Answer<never>
          heard?.(answer)
          return answer
        },
      }
    })
    const open = (recovered: boolean): void => {
      isOpen = true
      link!.opened(recovered)
    }
    open(false)
    const subscription = await client.subscribe({ topics: ['task:1'], since: 'all' })
    const events = subscription[Symbol.asyncIterator]()
    const heard = [(await events.next()).value?.id]
    // More than half of its buffer is full: it asks for no more.
    let before = 0
    await eventually(() => before === (before = asked.length), 'it waits')
    expect(asked.length).toBeLessThan(ALL / PAGE)
    isOpen = false
    link!.dropped()
    open(true)
    while (heard.length < ALL) heard.push((await events.next()).value?.id)
    expect(heard).toEqual(Array.from({ length: ALL }, (_, n) => String(n + 1)))
    await eventually(() => client.state === 'live')
    client.close()
  })
})
