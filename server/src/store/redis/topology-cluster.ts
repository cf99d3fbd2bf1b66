/**
 * The nodes of a Cluster, by its slot map. It is asked for every two seconds, when a node is lost, and when a node says that it is not the one;
 * of any nodes that are known, those of the address among them, for all the others may have gone since.
 */
import { endpointName, type Endpoint } from './address.js'
import type { Access, RedisClient } from './dial.js'
import { Lookout } from './lookout.js'
import type { Redirect } from './redirect.js'
import { SlotMap } from './slots.js'
import { Survey, type Answer } from './survey.js'
import type { Topology } from './topology.js'

const LOOK_MS = 2000
/** Nodes that are asked at once. */
const ASKED = 5
/** Above any epoch: a node that sees the Cluster whole knows better than one that is cut off from it. */
const WHOLE = 2 ** 40

export interface ClusterOptions {
  seeds: readonly Endpoint[]
  access: Access
  /** A slot is another node's now. */
  onChange: () => void
}

export class ClusterTopology implements Topology {
  readonly isSingle = false
  private map?: SlotMap
  /** Who is asked first, moved on when nobody of those asked answered. */
  private turn = 0
  private readonly survey: Survey
  private readonly lookout: Lookout

  constructor(private readonly options: ClusterOptions) {
    this.survey = new Survey(options.access)
    this.lookout = new Lookout(() => this.ask(), LOOK_MS)
  }

  at(slot: number): Endpoint | undefined {
    return this.map?.at(slot)
  }

  masters(): readonly Endpoint[] {
    return this.map?.masters ?? []
  }

  look(): Promise<void> {
    return this.lookout.look()
  }

  heed(redirect: Redirect): void {
    if (redirect.kind === 'ask') return
    if (redirect.kind === 'moved' && this.map) {
      const before = this.map.at(redirect.slot)
      this.map.move(redirect.slot, redirect.endpoint)
      if (!before || endpointName(before) !== endpointName(redirect.endpoint)) this.options.onChange()
    }
    void this.look().catch(() => undefined)
  }

  /** A replica serves no slot, and says so at the first command. */
  async verify(): Promise<void> {}

  close(): void {
    this.lookout.close()
    this.survey.close()
  }

  private async ask(): Promise<void> {
    const found = await this.survey.freshest(this.candidates(), askNode).catch((error: unknown) => {
      this.turn += ASKED
      throw error
    })
    const before = this.map
    this.map = found
    if (!before?.equals(found)) this.options.onChange()
  }

  private candidates(): Endpoint[] {
    const all = new Map([...this.masters(), ...this.options.seeds].map((endpoint) => [endpointName(endpoint), endpoint]))
    const from = all.size > ASKED ? this.turn % all.size : 0
    return [...all.values(), ...all.values()].slice(from, from + Math.min(ASKED, all.size))
  }
}

async function askNode(client: RedisClient, node: Endpoint): Promise<Answer<SlotMap>> {
  const [info, slots] = await Promise.all([client.sendCommand<unknown>(['CLUSTER', 'INFO']), client.sendCommand<unknown>(['CLUSTER', 'SLOTS'])])
  const lines = String(info)
  const epoch = Number(/^cluster_current_epoch:(\d+)/m.exec(lines)?.[1] ?? 0)
  return { epoch: epoch + (/^cluster_state:ok/m.test(lines) ? WHOLE : 0), value: SlotMap.of(slots, node) }
}
