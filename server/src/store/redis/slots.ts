/** A Cluster's 16,384 slots: which one a key lies in, and which node serves it, as CLUSTER SLOTS tells it. */
import { crc16 } from '@hubbub/protocol'
import { endpointName, type Endpoint } from './address.js'
import { listOf } from './reply.js'

const SLOTS = 16_384

/** Of a key, a channel of sharded pub/sub alike: of its hash tag, if it has one. */
export function slotOf(key: string): number {
  const open = key.indexOf('{')
  const end = open < 0 ? -1 : key.indexOf('}', open + 1)
  return crc16(end > open + 1 ? key.slice(open + 1, end) : key) % SLOTS
}

export class SlotMap {
  /** Of each slot the number of its node, counted from 1; 0: nobody's. */
  private readonly owners = new Uint16Array(SLOTS)
  private readonly nodes: Endpoint[] = []

  /** Each range: first slot, last slot, master, replicas; a node: host or nothing (that of whoever was asked), port. */
  static of(reply: unknown, asked: Endpoint): SlotMap {
    const map = new SlotMap()
    for (const range of listOf(reply)) {
      const [first, last, master] = listOf(range)
      const [host, port] = listOf(master)
      // '?': a Cluster that is to tell names and has none.
      if (host === '?') continue
      const owner = map.numberOf({ host: typeof host === 'string' && host !== '' ? host : asked.host, port: Number(port) })
      map.owners.fill(owner, Number(first), Number(last) + 1)
    }
    return map
  }

  at(slot: number): Endpoint | undefined {
    return this.nodes[this.owners[slot]! - 1]
  }

  /** Those that serve slots. */
  get masters(): readonly Endpoint[] {
    const serving = new Set(this.owners)
    return this.nodes.filter((_, place) => serving.has(place + 1))
  }

  /** One slot is another node's now. */
  move(slot: number, to: Endpoint): void {
    this.owners[slot] = this.numberOf(to)
  }

  equals(other: SlotMap): boolean {
    return this.owners.every((owner, slot) => {
      const [here, there] = [this.nodes[owner - 1], other.at(slot)]
      return here?.host === there?.host && here?.port === there?.port
    })
  }

  private numberOf(endpoint: Endpoint): number {
    const name = endpointName(endpoint)
    const at = this.nodes.findIndex((node) => endpointName(node) === name)
    return at < 0 ? this.nodes.push(endpoint) : at + 1
  }
}
