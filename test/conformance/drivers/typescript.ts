/** `@hubbub/client`: it does everything by itself. */
import { connect, type Client, type HubError, type Subscription } from '@hubbub/client'
import type { EventInput, HistoryRequest, SubscribeRequest } from '@hubbub/protocol'
import { type Connected, type Driver, type Heard, Log, Logged, type Published, Refused } from '../gateway.js'

export const typescript: Driver = {
  name: 'TypeScript SDK',
  async connect(url, { token, project, compress = false }) {
    const open = () => connect(url, { token, project, compress, reconnect: { minMs: 20, maxMs: 100 } })
    const client = open()
    await refusing(client.ready())
    return new SdkConnection(client, open)
  },
}

class SdkConnection extends Logged implements Connected {
  private subscriptions: { topics: string[]; subscription: Subscription }[] = []

  constructor(private readonly client: Client, private readonly open: () => Client) {
    super()
    client.on('*', (event, { cursor }) => this.log.event(event, cursor))
    client.onGap((gap) => this.log.gap(gap))
    client.onError(({ code }) => this.log.complaints.push(code))
  }

  async subscribe({ snapshot: _none, ...request }: SubscribeRequest): Promise<void> {
    const subscription = await refusing(this.client.subscribe(request))
    // Its events come through the client's own handlers, each once.
    subscription.on(() => undefined)
    await refusing(subscription.live())
    this.subscriptions.push({ topics: request.topics, subscription })
  }

  async unsubscribe(topics: string[]): Promise<void> {
    for (const held of this.subscriptions.filter((one) => one.topics.some((topic) => topics.includes(topic)))) {
      this.subscriptions = this.subscriptions.filter((one) => one !== held)
      const rest = held.topics.filter((topic) => !topics.includes(topic))
      if (rest.length > 0) await this.subscribe({ topics: rest })
      await held.subscription.unsubscribe()
    }
  }

  async publish(inputs: EventInput[], ack?: 'accepted'): Promise<Published[]> {
    return await Promise.all(
      inputs.map(async ({ type, data, ...options }): Promise<Published> => {
        try {
          const result = await this.client.publish(type, data, { ...(options as { id?: string }), ...(ack && { ack }) })
          return { type: result.type, ...(result.duplicate && { duplicate: true }) }
        } catch (error) {
          return { refused: (error as HubError).code }
        }
      }),
    )
  }

  command(command: string, payload?: unknown): Promise<unknown> {
    return refusing(this.client.command(command, payload))
  }

  async snapshot(topics: string[]) {
    return [...(await refusing(this.client.snapshot(topics))).entities]
  }

  /** It has no question for history alone: a client of its own, which is closed when it is live. */
  async history({ limit, wait: _none, since = 'all', ...request }: HistoryRequest): Promise<{ events: Heard[]; gap?: Connected['gaps'][number] }> {
    const reader = this.open()
    const found = new Log()
    reader.on('*', (event, { cursor }) => found.event(event, cursor))
    reader.onGap((gap) => found.gap(gap))
    try {
      const subscription = await refusing(reader.subscribe({ ...request, since }))
      subscription.on(() => undefined)
      await refusing(subscription.live())
      return { events: found.heard.slice(0, limit), gap: found.gaps[0] }
    } finally {
      reader.close()
    }
  }

  signal(topic: string, name: string, data?: unknown): Promise<void> {
    return refusing(this.client.signal(topic, name, data))
  }

  close(): void {
    this.client.close()
  }
}

async function refusing<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    throw refusedBy(error)
  }
}

function refusedBy(error: unknown): unknown {
  const { code, message } = error as HubError
  return typeof code === 'string' ? new Refused(code, message) : error
}
