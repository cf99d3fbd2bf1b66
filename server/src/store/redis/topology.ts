/**
 * Where the master of a key is now. Three answers stand side by side: one Redis that never moves (here), the master that Sentinels name
 * (`topology-sentinel.ts`), the node that a Cluster's slot map names (`topology-cluster.ts`). Nobody else knows which it is.
 */
import type { Endpoint } from './address.js'
import type { RedisClient } from './dial.js'
import type { Redirect } from './redirect.js'

export interface Topology {
  /** One master serves every key: one connection is enough, and goes wherever the master goes. */
  readonly isSingle: boolean
  /** As far as is known; undefined: nobody has said yet. */
  at(slot: number): Endpoint | undefined
  /** Every master that is known, each once. */
  masters(): readonly Endpoint[]
  /** Asks anew, never two questions at a time. Rejects when nobody answered; what was known then stays known. */
  look(): Promise<void>
  /** A node said that a command belongs elsewhere. */
  heed(redirect: Redirect): void
  /** Rejects when the client's node is no master. */
  verify(client: RedisClient): Promise<void>
  close(): void
}

export class StandaloneTopology implements Topology {
  readonly isSingle = true

  constructor(private readonly endpoint: Endpoint) {}

  at(): Endpoint {
    return this.endpoint
  }

  masters(): readonly Endpoint[] {
    return [this.endpoint]
  }

  async look(): Promise<void> {}
  heed(): void {}
  async verify(): Promise<void> {}
  close(): void {}
}
