/**
 * The master that Sentinels name. They are asked each time when a connection is made, and every second: a master that they have given
 * up may still be up, and whoever only reads from it would never be told. Who is reached must call itself a master, too.
 */
import { ErrorReply, RESP_TYPES } from 'redis'
import { endpointName, type Endpoint } from './address.js'
import type { Access, RedisClient } from './dial.js'
import { Lookout } from './lookout.js'
import { listOf, textOf } from './reply.js'
import { Survey, type Answer } from './survey.js'
import type { Topology } from './topology.js'

const LOOK_MS = 1000

export interface SentinelOptions {
  sentinels: readonly Endpoint[]
  /** The name under which they know the master. */
  master: string
  /** To the Sentinels. */
  access: Access
  /** Another one is the master now. */
  onChange: () => void
}

export class SentinelTopology implements Topology {
  readonly isSingle = true
  private master?: Endpoint
  private readonly survey: Survey
  private readonly lookout: Lookout

  constructor(private readonly options: SentinelOptions) {
    this.survey = new Survey(options.access)
    this.lookout = new Lookout(() => this.ask(), LOOK_MS)
  }

  at(): Endpoint | undefined {
    return this.master
  }

  masters(): readonly Endpoint[] {
    return this.master ? [this.master] : []
  }

  look(): Promise<void> {
    return this.lookout.look()
  }

  heed(): void {
    void this.look().catch(() => undefined)
  }

  async verify(client: RedisClient): Promise<void> {
    const role = await client.sendCommand<unknown>(['ROLE']).catch((error: unknown) => {
      // A user that may not ask: a replica refuses its first write, which is told soon enough.
      if (error instanceof ErrorReply && error.message.startsWith('NOPERM')) return ['master']
      throw error
    })
    const [name] = listOf(role)
    if (name !== 'master') throw new Error(`the Sentinels name a ${String(name)} as the master`)
  }

  close(): void {
    this.lookout.close()
    this.survey.close()
  }

  private async ask(): Promise<void> {
    const { sentinels, master: name, onChange } = this.options
    const found = await this.survey.freshest(sentinels, (client, sentinel) => askSentinel(client, sentinel, name))
    const before = this.master
    this.master = found
    if (before && endpointName(before) !== endpointName(found)) onChange()
  }
}

async function askSentinel(client: RedisClient, sentinel: Endpoint, name: string): Promise<Answer<Endpoint>> {
  const [address, details] = await Promise.all([
    client.sendCommand<unknown>(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]),
    // As a list, whatever the version of the protocol. Its epoch only: during a failover the address in it is that of the old master.
    client.sendCommand<unknown>(['SENTINEL', 'MASTER', name], { typeMapping: { [RESP_TYPES.MAP]: Array } }).catch(() => []),
  ])
  if (address === null) throw new Error(`the Sentinel ${endpointName(sentinel)} knows no master '${name}'`)
  const [host, port] = listOf(address).map(textOf)
  const flat = listOf(details)
  const epoch = Number(flat[flat.indexOf('config-epoch') + 1])
  return { epoch: Number.isNaN(epoch) ? 0 : epoch, value: { host: host!, port: Number(port) } }
}
