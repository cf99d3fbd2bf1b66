/** What the streams adapter calls besides. It reads from `$` until its first message and retries errors without pause; this client does neither. */
import type { RedisClient } from '../../store/redis/connection.js'
import { AdapterClient } from './adapter-client.js'

const ERROR_PAUSE_MS = 500
/** Above any BLOCK of the adapter's; ms. */
const READ_MS = 10_000

type XAddOptions = Parameters<RedisClient['xAdd']>[3]
type XReadOptions = Parameters<RedisClient['xRead']>[1]

export class StreamsAdapterClient extends AdapterClient {
  /** Where the reading begins: resolved once, so that nothing sent during a reconnect is passed over. */
  private start?: string

  override duplicate(): StreamsAdapterClient {
    return new StreamsAdapterClient(this.nodes, this.key, this.log)
  }

  xAdd = (stream: string, id: string, fields: Record<string, string>, options: XAddOptions): Promise<string> =>
    this.send('xAdd', (client) => client.xAdd(stream, id, fields, options), '', { waits: true })

  /** An error costs a pause, not a core. */
  xRead = async (streams: { key: string; id: string }[], options: XReadOptions): Promise<unknown> => {
    try {
      const [stream] = streams
      const from = stream?.id === '$' ? [{ key: stream.key, id: (this.start ??= await this.lastOf(stream.key)) }] : streams
      return await this.connection.call('adapter', async (client) => (await client.xRead(from, options)) as unknown, READ_MS)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, ERROR_PAUSE_MS).unref())
      return null
    }
  }

  private async lastOf(stream: string): Promise<string> {
    const [last] = (await this.connection.call('adapter', (client) => client.xRevRange(stream, '+', '-', { COUNT: 1 }))) ?? []
    return last?.id ?? '0-0'
  }
}
