/** A real lane over a real store, and outlets that write down what reaches them. */
import type { Gap, HubEvent } from '@hubbub/protocol'
import type { Chunk, Encoding, TailEntry } from '../../server/src/fanout/entry.js'
import { Fanout } from '../../server/src/fanout/fanout.js'
import type { Lane } from '../../server/src/fanout/lane.js'
import type { Outlet, Session } from '../../server/src/fanout/session.js'
import { INBOX, type Pace, type Subscription } from '../../server/src/fanout/subscription.js'
import { silent } from '../../server/src/observe/log.js'
import { createMetrics } from '../../server/src/observe/metrics.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import type { Store } from '../../server/src/store/port.js'
import { Committer, memoryStore } from '../harness/store.js'

/** Records what a session is given, message by message; `stuck` bytes wait until `release`. */
export class Recorder implements Outlet {
  /** Ids of each message: several where they came gathered. */
  readonly messages: string[][] = []
  readonly events: HubEvent[] = []
  /** Of events and bookmarks, in order of arrival: what a client would come back with. */
  readonly cursors: string[] = []
  readonly bookmarks: string[] = []
  readonly gaps: Gap[] = []
  readonly chunks: Chunk[] = []
  stuck = 0
  /** So many writes go through, then the socket is stuck. */
  takes = Number.POSITIVE_INFINITY
  private waiters: (() => void)[] = []

  constructor(readonly encoding: Encoding) {}

  write(chunk: Chunk): void {
    this.chunks.push(chunk)
    for (const frame of chunk.frames) this.messages.push(frame.packet.split('\n'))
    for (const entry of chunk.entries) {
      this.events.push(entry.event)
      this.cursors.push(entry.cursor)
    }
    if (--this.takes <= 0) this.stuck = 1e9
  }

  bookmark(cursor: string): void {
    this.bookmarks.push(cursor)
    this.cursors.push(cursor)
  }

  gap(gap: Gap): void {
    this.gaps.push(gap)
  }

  waiting() {
    return { bytes: this.stuck, packets: 0 }
  }

  async drained(): Promise<void> {
    if (this.stuck > 0) await new Promise<void>((resolve) => this.waiters.push(resolve))
  }

  release(): void {
    this.takes = Number.POSITIVE_INFINITY
    this.stuck = 0
    for (const resolve of this.waiters.splice(0)) resolve()
  }

  get ids(): string[] {
    return this.events.map(({ id }) => id)
  }
}

export type Topics = { topics: string[]; pace?: Pace; types?: string[] }

export interface Follower {
  outlet: Recorder
  session: Session
  add(asked: Topics): Subscription
  remove(subscription: Subscription): void
}

export class Stand {
  encodes = 0
  readonly encoding: Encoding
  private constructor(readonly store: Store, readonly fanout: Fanout, readonly lane: Lane, readonly committer: Committer) {
    this.encoding = this.encodingOf('test')
  }

  static async open(settings: Partial<Settings> = {}): Promise<Stand> {
    const store = await memoryStore()
    const fanout = new Fanout({ journal: store, partitions: 1, settings: settingsWith({ partitions: 1, gatherMs: 0, ...settings }), metrics: createMetrics(), log: silent })
    return new Stand(store, fanout, await fanout.lane('default'), await Committer.of(store))
  }

  encodingOf(name: string): Encoding {
    const frameOf = (packet: string) => ({ packet, bytes: Buffer.from(packet) })
    return {
      name,
      encode: (entry) => {
        this.encodes++
        return frameOf(entry.event.id)
      },
      batch: (entries: readonly TailEntry[]) => {
        this.encodes += entries.length
        return frameOf(entries.map((entry) => entry.event.id).join('\n'))
      },
    }
  }

  /** Live, or with a cursor coming back from there. */
  follow(asked: readonly Topics[], { at, inbox, encoding = this.encoding }: { at?: string; inbox?: string; encoding?: Encoding } = {}): Follower {
    const outlet = new Recorder(encoding)
    const from = at === undefined ? this.lane.tail.flushed : at.slice(at.indexOf('.') + 1)
    const subscriptions: Subscription[] = asked.map((one, place) => ({ id: `${place}`, ...one, from }))
    if (inbox !== undefined) subscriptions.push({ id: INBOX, topics: [`inbox:${inbox}`], from })
    const session = this.lane.open('default', outlet, at, subscriptions)
    let count = asked.length
    return {
      outlet,
      session,
      add: (one) => {
        const subscription = { id: `${count++}`, ...one, from: session.position }
        this.lane.add(session, subscription)
        return subscription
      },
      remove: (subscription) => this.lane.remove(session, subscription),
    }
  }

  async close(): Promise<void> {
    await this.fanout.shutdown()
    await this.store.close()
  }
}

let names = 0

/** An event of a task; `more` topics besides. */
export function event(id: string, taskId: string, ...more: string[]): HubEvent {
  return {
    id, type: 'task.progress', timestamp: ++names, project: 'default', topics: [`task:${taskId}`, ...more], data: { taskId, progress: 50 },
    metadata: { version: '1.0', source: '/agents/test', recordedAt: 0 },
  }
}

export function mail(id: string, agentId: string): HubEvent {
  return { ...event(id, 'none'), topics: [`inbox:${agentId}`] }
}
