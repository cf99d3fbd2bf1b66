/**
 * Keeps the records of this worker's recoverable connections (I8): written when subscriptions change, renewed while
 * connected. A record whose generation was raised belongs to another worker by now: the older holder lets go.
 */
import { HubError, partitionOf } from '@hubbub/protocol'
import type { Subscription } from '../fanout/subscription.js'
import type { Logger } from '../observe/log.js'
import type { SessionRecord, Sessions } from '../store/port.js'

/** What the recorder needs of a connection. */
export interface Recorded {
  readonly identity: { subject: string; project: string }
  /** Writes its record as it is, behind whatever change of it is under way. */
  rewrite(): Promise<void>
}

interface Holding {
  id: string
  partition: number
  generation: number
  expel: () => void
}

export class Recorder {
  private readonly held = new Map<Recorded, Holding>()
  private readonly timer: NodeJS.Timeout

  constructor(private readonly sessions: Sessions, private readonly partitions: number, private readonly ttlMs: number, private readonly log: Logger) {
    this.timer = setInterval(() => void this.renew(), Math.max(250, Math.min(ttlMs / 4, 15_000)))
    this.timer.unref()
  }

  /** A recorder bound to one connection's session id; `expel` ends the connection when somebody else took the session. */
  hold(connection: Recorded, id: string, generation: number, expel: () => void): void {
    this.held.set(connection, { id, generation, expel, partition: partitionOf(connection.identity.project, this.partitions) })
  }

  release(connection: Recorded): void {
    this.held.delete(connection)
  }

  async save(connection: Recorded, subscriptions: readonly Subscription[]): Promise<void> {
    const holding = this.held.get(connection)
    if (!holding) return
    const record: SessionRecord = {
      project: connection.identity.project,
      subject: connection.identity.subject,
      subscriptions: subscriptions.map(({ id, topics, types, filter, pace, from }) => ({ id, topics: [...topics], types: types && [...types], filter, pace, from })),
    }
    if (await this.sessions.save(holding.partition, holding.id, holding.generation, record, this.ttlMs)) return
    this.expel(connection, holding)
    throw new HubError('UNAVAILABLE', 'The session was resumed elsewhere.')
  }

  /** The session was restored under a newer generation, says whoever restored it: no need to wait for the next renewal. */
  taken(id: string, generation: number): void {
    for (const [connection, holding] of this.held) {
      if (holding.id === id && holding.generation < generation) this.expel(connection, holding)
    }
  }

  close(): void {
    clearInterval(this.timer)
    this.held.clear()
  }

  private async renew(): Promise<void> {
    const byPartition = new Map<number, [Recorded, Holding][]>()
    for (const pair of this.held) {
      const list = byPartition.get(pair[1].partition)
      if (list) list.push(pair)
      else byPartition.set(pair[1].partition, [pair])
    }
    for (const [partition, pairs] of byPartition) {
      try {
        const generations = await this.sessions.touch(partition, pairs.map(([, holding]) => holding.id), this.ttlMs)
        for (const [i, [connection, holding]] of pairs.entries()) {
          if (generations[i]! > holding.generation) this.expel(connection, holding)
          // Never written, or gone with a store that lost data: without it the connection could not be resumed.
          else if (generations[i] === 0) await connection.rewrite()
        }
      } catch (error) {
        this.log.warn({ err: error, partition }, 'session records not renewed; trying again')
      }
    }
  }

  private expel(connection: Recorded, holding: Holding): void {
    if (this.held.delete(connection)) holding.expel()
  }
}
