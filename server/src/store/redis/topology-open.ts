import type { RedisAddress } from './address.js'
import type { Access } from './dial.js'
import { StandaloneTopology, type Topology } from './topology.js'
import { ClusterTopology } from './topology-cluster.js'
import { SentinelTopology } from './topology-sentinel.js'

/** `onChange`: some key's master is another one now. */
export function openTopology(address: RedisAddress, access: Access, onChange: () => void): Topology {
  const { kind, endpoints, master, sentinelCredentials } = address
  if (kind === 'cluster') return new ClusterTopology({ seeds: endpoints, access, onChange })
  if (kind === 'sentinel') return new SentinelTopology({ sentinels: endpoints, master, access: { ...access, database: 0, credentials: sentinelCredentials }, onChange })
  return new StandaloneTopology(endpoints[0]!)
}
