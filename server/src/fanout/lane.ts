/**
 * One partition's delivery on this worker: its tail, its audiences, its sessions. The burst is the unit: routed, encoded
 * and written in one synchronous step, after which `flushed` moves (I1). A slow session leaves before it costs more than
 * its limit (I7).
 */
import { isAfter, offsetMillis, type Cursor } from '@hubbub/protocol'
import type { Logger } from '../observe/log.js'
import { typeLabel, type Metrics } from '../observe/metrics.js'
import type { Witness } from '../observe/witness.js'
import type { Settings } from '../settings/table.js'
import type { Journal } from '../store/port.js'
import { Audiences, familyLabel, receiversOf, type Audience } from './audiences.js'
import { catchUp } from './catchup.js'
import type { Span, Who } from './chronicle.js'
import { Chronicles } from './chronicles.js'
import type { Chunk, TailEntry } from './entry.js'
import { Holding } from './holding.js'
import { pacedChunks } from './pace.js'
import { nextState, Session, type Outlet } from './session.js'
import type { Subscription } from './subscription.js'
import { PartitionTail, type TailListener } from './tail.js'
import type { Turns } from './turns.js'

export interface LaneDeps {
  journal: Journal
  settings: Settings
  metrics: Metrics
  witness?: Witness
  log: Logger
  turns: Turns
}

export class Lane implements TailListener {
  tail!: PartitionTail
  readonly chronicles: Chronicles
  private readonly audiences = new Audiences()
  private readonly sessions = new Set<Session>()
  /** Bytes flushed since quiet sessions last got a bookmark: a byte cap may retain less than the age promises. */
  private unmarkedBytes = 0

  private constructor(private readonly deps: LaneDeps) {
    this.chronicles = new Chronicles(deps.settings)
  }

  static async start(partition: number, deps: LaneDeps): Promise<Lane> {
    const lane = new Lane(deps)
    lane.tail = await PartitionTail.start(partition, deps.journal, deps.settings, lane, deps.metrics, deps.log)
    return lane
  }

  /**
   * A session at the flushed position, live at once; or with a cursor, catching up from there. `restored` is what it is
   * subscribed to from the beginning.
   * Synchronous: nothing can be committed between the position and the joining.
   */
  open(project: string, outlet: Outlet, at?: Cursor, restored: readonly Subscription[] = [], who?: Who): Session {
    const session = new Session(project, this.tail, outlet, at ?? this.tail.cursor)
    session.chronicle = this.chronicles.begin(session, who)
    for (const subscription of restored) {
      session.subscriptions.set(subscription.id, subscription)
      session.chronicle.subscribed(subscription)
      this.count(subscription, 1)
    }
    this.sessions.add(session)
    if (at === undefined) this.goLive(session)
    else this.startCatchUp(session, 'resume')
    return session
  }

  close(session: Session): void {
    if (session.state === 'closed') return
    this.chronicles.end(session.chronicle)
    this.drop(session)
    session.state = nextState(session.state, 'close')
    for (const subscription of session.subscriptions.values()) this.count(subscription, -1)
    this.sessions.delete(session)
  }

  /** From the next burst on, the subscription counts. */
  add(session: Session, subscription: Subscription): void {
    this.change(session, () => session.subscriptions.set(subscription.id, subscription))
    session.chronicle.subscribed(subscription)
    this.count(subscription, 1)
  }

  remove(session: Session, subscription: Subscription, because: Span['because'] = 'unsubscribed'): void {
    // Its end took all of them away.
    if (session.state === 'closed') return
    this.change(session, () => session.subscriptions.delete(subscription.id))
    session.chronicle.unsubscribed(subscription, because)
    this.count(subscription, -1)
  }

  burst(entries: readonly TailEntry[]): void {
    const now = Date.now()
    for (const entry of entries) this.unmarkedBytes += entry.size
    const { shared, paced, mailed } = this.audiences.route(entries)
    // Mail goes at once, and what its readers' audiences gathered stands before it (I1).
    for (const session of mailed.keys()) if (!paced.has(this.audiences.audienceOf(session)!)) this.releaseFor(session)
    for (const [audience, hits] of paced) this.hold(audience, hits, mailed)
    for (const [audience, chunks] of shared) {
      const sessions = [...audience.sessions].filter((session) => !mailed.has(session))
      this.measure(sessions.length, chunks, now)
      for (const session of sessions) this.write(session, chunks, now)
    }
    for (const [session, chunks] of mailed) {
      this.measure(1, chunks, now)
      this.write(session, chunks, now)
      session.onMail?.()
    }
    const { witness } = this.deps
    if (witness?.isOn) witness.delivered(this.tail.partition, receiversOf({ shared, mailed }))
  }

  jumped(): void {
    for (const session of [...this.audiences.sessions()]) this.fallBehind(session, 'jump')
  }

  /** A live connection that heard nothing still learns where it stands, well before its cursor could be trimmed. */
  bookmarkQuiet(now = Date.now()): void {
    const { bookmarkMs, retentionMs, retentionBytes } = this.deps.settings
    const late = now - Math.min(bookmarkMs, retentionMs / 10)
    const all = this.unmarkedBytes > retentionBytes / 10
    if (all) this.unmarkedBytes = 0
    for (const session of this.sessions) {
      if (session.state !== 'live' || (!all && session.heardAt > late)) continue
      // What its subscriptions gather stands before the bookmark; it hears soon.
      if (session.gathering?.() !== undefined) continue
      if (session.heardCursor === this.tail.cursor) continue
      session.heardCursor = this.tail.cursor
      session.heardAt = now
      session.outlet.bookmark(this.tail.cursor)
    }
  }

  counts(): { subscriptions: number; catchingUp: number } {
    let subscriptions = 0
    let catchingUp = 0
    for (const session of this.sessions) {
      const own = session.subscriptions.size - (session.inbox ? 1 : 0)
      subscriptions += own
      if (session.state === 'catching-up' && session.subscriptions.size > 0) catchingUp++
    }
    return { subscriptions, catchingUp }
  }

  async shutdown(): Promise<void> {
    for (const session of [...this.sessions]) this.close(session)
    await this.tail.close()
  }

  /** At once or later, as the audience's subscriptions ask. With mail in the same burst: at once, for all, in journal order (I1). */
  private hold(audience: Audience, hits: readonly TailEntry[], mailed: ReadonlyMap<Session, Chunk[]>): void {
    const holding = (audience.holding ??= new Holding(() => this.release(audience)))
    const wait = holding.add(hits, audience.interests, this.tail.cursor)
    if (wait && ![...audience.sessions].some((session) => mailed.has(session))) return
    this.release(audience, mailed)
  }

  /** @param mailed sessions that get the present burst's entries otherwise, and only what was held before it here */
  private release(audience: Audience, mailed?: ReadonlyMap<Session, Chunk[]>): void {
    const held = audience.holding?.take()
    if (!held) return
    this.chronicles.released(audience.key, held.since.slice(held.since.indexOf('.') + 1), held.entries.at(-1)!.offset)
    const now = Date.now()
    const chunks = pacedChunks(held.entries, audience.interests, audience.encoding)
    const before = mailed && held.entries.filter((entry) => !isAfter(entry.offset, this.tail.flushed))
    const sessions = [...audience.sessions]
    this.measure(sessions.length, chunks, now)
    for (const session of sessions) {
      // Live, it counts as being at the flushed position; of what it is given now it was given nothing yet.
      session.moveTo(held.since)
      if (before && mailed.has(session)) this.write(session, pacedChunks(before, audience.interests, audience.encoding), now, true)
      else this.write(session, chunks, now, true)
    }
    const { witness } = this.deps
    if (witness?.isOn) witness.delivered(this.tail.partition, receiversOf({ shared: new Map([[audience, chunks]]), mailed: new Map() }))
  }

  /** @param held its own position counts, not the tail's */
  private write(session: Session, chunks: readonly Chunk[], now: number, held = false): void {
    const { slowBytes, slowPackets } = this.deps.settings
    for (const chunk of chunks) {
      if (session.state !== 'live') return
      const waiting = session.outlet.waiting()
      const bytes = waiting.bytes === 0 ? 0 : waiting.bytes + chunk.bytes
      if (bytes > slowBytes || waiting.packets > slowPackets) return this.fallBehind(session, 'slow', held)
      // Until flushed moves, a session that falls behind within the burst, or ends in this very write, stands behind what it was given of it.
      session.moveTo(chunk.last.cursor)
      session.outlet.write(chunk)
      session.heardAt = now
    }
  }

  private measure(sessions: number, chunks: readonly Chunk[], now: number): void {
    const { metrics } = this.deps
    for (const chunk of chunks) {
      metrics.bytesOut.inc(chunk.bytes * sessions)
      const counts = new Map<string, number>()
      for (const { event } of chunk.entries) counts.set(event.type, (counts.get(event.type) ?? 0) + sessions)
      for (const [type, count] of counts) metrics.eventsOut.inc({ type: typeLabel(type) }, count)
      metrics.deliveryLatency.observe(Math.max(0, now - offsetMillis(chunk.last.offset)) / 1000)
    }
  }

  private fallBehind(session: Session, cause: string, held = false): void {
    if (session.state !== 'live') return
    this.leave(session)
    // What was gathered went to it on its way out, and was too much for it: it catches up already, from its own place.
    if (session.state !== 'live') return
    // Bursts without anything for the session did not move it: it stands at flushed, unless this burst moved it beyond.
    if (!held && !session.isAhead) session.moveTo(this.tail.cursor)
    session.state = nextState(session.state, 'fell-behind')
    this.startCatchUp(session, cause)
  }

  private startCatchUp(session: Session, cause: string): void {
    const { metrics, witness, log, journal, turns } = this.deps
    metrics.catchups.inc({ cause })
    session.chronicle.fellBehind(cause)
    catchUp(session, { journal, metrics, witness, log, turns, goLive: () => this.rejoin(session) }).catch((error: unknown) => {
      log.error({ err: error }, 'catching up failed')
      this.close(session)
    })
  }

  /** Told where it stands: what it heard last may have been an event long before. */
  private rejoin(session: Session): void {
    session.chronicle.isLive()
    this.goLive(session)
    session.outlet.bookmark(this.tail.cursor)
  }

  private goLive(session: Session): void {
    session.state = nextState(session.state, 'reached')
    this.join(session)
  }

  private change(session: Session, apply: () => void): void {
    this.leave(session)
    apply()
    session.version++
    if (session.state === 'live') this.join(session)
  }

  /** What the audience gathered so far is not for whoever joins now. */
  private join(session: Session): void {
    const existing = this.audiences.audienceFor(session)
    if (existing) this.release(existing)
    const audience = this.audiences.join(session)
    session.gathering = audience.isPaced ? () => audience.holding?.waitsBehind : undefined
  }

  /** What was gathered is given first: a session that is nowhere stands at the flushed position, or where a slow socket left it. */
  private leave(session: Session): void {
    this.releaseFor(session)
    this.audiences.leave(session)
    session.gathering = undefined
  }

  /** Nothing more is for it, and what the others of its audience gather need not go early for that. */
  private drop(session: Session): void {
    const audience = this.audiences.audienceOf(session)
    this.audiences.leave(session)
    session.gathering = undefined
    if (audience?.sessions.size === 0) audience.holding?.take()
  }

  private releaseFor(session: Session): void {
    const audience = this.audiences.audienceOf(session)
    if (audience) this.release(audience)
  }

  private count(subscription: Subscription, change: number): void {
    for (const topic of subscription.topics) this.deps.metrics.subscriptions.inc({ family: familyLabel(topic) }, change)
  }
}

