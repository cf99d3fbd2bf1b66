/**
 * One run, told to one client: verbatim as long as it is whole; behind a gap from the next snapshots on, or with a RUN_ERROR; never with
 * a part left out.
 *
 *     from its first event --------------> verbatim ----------> RUN_FINISHED, RUN_ERROR: the stream ends
 *     from a snapshot, then behind it -------^   |
 *                                                | gap
 *                                                v
 *                                             lost --- snapshots behind the gap ---> mended (verbatim, with what began in the gap)
 *                                                \---- none ---> RUN_ERROR REPLAY_GAP
 */
import { HubError, parseCursor, type Cursor, type Gap, type Since } from '@hubbub/protocol'
import type { Chunk, Encoding, TailEntry } from '../../fanout/entry.js'
import type { Outlet } from '../../fanout/session.js'
import type { Operations } from '../../operations/operations.js'
import { hubErrorOf } from '../../store/failure.js'
import type { EventStream } from '../http/streams.js'
import { Chunks } from './chunks.js'
import { isOfRun, isTerminal, type AguiEvent, type Message } from './events.js'
import { OpenParts } from './open.js'
import { AGUI, readRun, type History, type Reading } from './reading.js'
import type { Replica } from './replica.js'
import { fits } from './size.js'
import { runError, writtenAll } from './wire.js'

const LOST = runError('REPLAY_GAP', 'Events of the run are no longer in the journal, and no later snapshots of its messages and state are, either.')
const RESTARTED = runError('RUN_RESTARTED', 'The run began anew under the same id. Ask for it again.')
const NOTHING = Buffer.alloc(0)

export interface TellingDeps {
  follow: Operations['follow']
  history: History
  encoding: Encoding
  /** Of the events that bring a client to where a run stands. */
  mostBytes: number
}

/** What goes out for an entry. */
interface Told {
  bytes: Buffer
  /** Nothing comes behind it. */
  isLast?: boolean
}

export class Telling {
  /** What the client was told of and is not at its end. */
  private open = new OpenParts()
  private chunks = new Chunks()
  private hasBegun = false
  /** Since a gap: without it nobody could tell what began in it. */
  private replica?: Replica

  constructor(private readonly runId: string, private readonly stream: EventStream, private readonly deps: TellingDeps) {}

  /** Rejects with `HubError`. */
  async fromStart({ before }: Reading): Promise<void> {
    await this.follow(before)
  }

  /** To a client that was told the run up to there. */
  async since(cursor: Cursor): Promise<void> {
    this.hasBegun = true
    await this.follow(cursor)
  }

  /** @param others messages that only the client has */
  async fromSnapshot(reading: Reading, others: readonly Message[]): Promise<void> {
    const { replica, cursor, threadId } = reading
    if (!replica.isWhole) return this.giveUp(LOST)
    const { input: _, ...begun } = replica.begun ?? { type: 'RUN_STARTED' as const, threadId: threadId ?? this.runId, runId: this.runId }
    this.hasBegun = true
    this.adopt(replica, [begun, ...replica.retell(others)], cursor)
    await this.follow(cursor)
  }

  private async follow(since: Since): Promise<void> {
    const place = await this.deps.follow(this.stream.identity, { subscriptions: [{ topics: [`run:${this.runId}`], types: AGUI }], since })
    if (this.stream.isOpen) this.stream.carry(place(new RunOutlet(this.deps.encoding, this.stream, this), { session: this.stream.id, wire: 'sse' }))
  }

  /** @param own the entry's frame as all others get it. Undefined: the run's first event was trimmed away before it was reached. */
  take({ event, cursor }: TailEntry, own: Buffer): Told | undefined {
    const data = event.data as AguiEvent
    if (!isOfRun(data, this.runId)) return { bytes: NOTHING }
    if (data.type === 'RUN_STARTED') {
      if (this.hasBegun) return { bytes: writtenAll([RESTARTED]), isLast: true }
      this.hasBegun = true
    }
    if (!this.hasBegun) return undefined
    if (isTerminal(data)) return { bytes: own, isLast: true }
    if (this.replica) {
      const events = this.replica.take(data)
      if (!events) return { bytes: writtenAll([LOST]), isLast: true }
      return { bytes: events.length === 1 && events[0] === data ? own : writtenAll(events, cursor) }
    }
    for (const part of this.chunks.expand(data) ?? []) this.open.note(part)
    return { bytes: own }
  }

  /** @param since where what is known of the run begins */
  async rejoin(since: Since): Promise<void> {
    try {
      const told = new Set([...this.open.subagentsBefore, ...this.open.lives.map(({ subagentRunId }) => subagentRunId)])
      const reading = await readRun(this.deps.history, this.runId, since, told)
      if (!this.stream.isOpen) return
      const { replica, cursor } = reading
      if (replica.begun && this.hasBegun) return this.giveUp(RESTARTED)
      if (replica.begun) return await this.fromStart(reading)
      if (!this.hasBegun) return await this.fromSnapshot(reading, [])
      if (!replica.isWhole) return this.giveUp(LOST)
      this.adopt(replica, [...closing(this.open, this.chunks), ...replica.retell()], cursor)
      await this.follow(cursor)
    } catch (error) {
      void this.stream.end(hubErrorOf(error))
    }
  }

  /** Throws PAYLOAD_TOO_LARGE. */
  private adopt(replica: Replica, events: AguiEvent[], cursor: Since): void {
    const { mostBytes } = this.deps
    if (!fits(events, mostBytes)) {
      throw new HubError('PAYLOAD_TOO_LARGE', 'The run\'s messages and state are too large, or nested too deep, for a snapshot; from=start tells its events.', { limit: mostBytes, setting: 'HUBBUB_AGUI_SNAPSHOT_BYTES' })
    }
    this.stream.write(writtenAll(events, parseCursor(cursor) ? (cursor as Cursor) : undefined))
    this.open = replica.open
    this.chunks = replica.chunks
    this.replica = replica.begun ? undefined : replica
  }

  private giveUp(error: AguiEvent): void {
    this.stream.write(writtenAll([error]))
    void this.stream.end()
  }
}

/** Everything that is open comes to its end: what follows is told from snapshots. Chunks end with the snapshot of the messages. */
function closing(open: OpenParts, chunks: Chunks): AguiEvent[] {
  const tag = ({ subagentRunId }: { subagentRunId?: string }) => (subagentRunId === undefined ? {} : { subagentRunId })
  return [
    ...[...open.texts.values()].filter(({ messageId }) => !chunks.holds('text', messageId)).map((start): AguiEvent => ({ type: 'TEXT_MESSAGE_END', messageId: start.messageId, ...tag(start) })),
    ...[...open.calls.values()].filter(({ toolCallId }) => !chunks.holds('tool', toolCallId)).map((start): AguiEvent => ({ type: 'TOOL_CALL_END', toolCallId: start.toolCallId, ...tag(start) })),
    ...[...open.reasonings.values()].filter(({ messageId }) => !chunks.holds('reasoning', messageId)).map((start): AguiEvent => ({ type: 'REASONING_MESSAGE_END', messageId: start.messageId, ...tag(start) })),
    ...[...open.spans.values()].map((start): AguiEvent => ({ type: 'REASONING_END', messageId: start.messageId, ...tag(start) })),
    ...[...open.steps.values()].map((start): AguiEvent => ({ type: 'STEP_FINISHED', stepName: start.stepName, ...tag(start) })),
    ...[...open.subagents.keys()].map((subagentRunId): AguiEvent => ({ type: 'SUBAGENT_FINISHED', subagentRunId })),
  ]
}

/** Of one connection to the journal: after a gap another one takes its place, and this one is silent. */
class RunOutlet implements Outlet {
  private isSilent = false

  constructor(readonly encoding: Encoding, private readonly stream: EventStream, private readonly telling: Telling) {}

  write(chunk: Chunk): void {
    if (this.isSilent) return
    const parts: Buffer[] = []
    for (const [place, entry] of chunk.entries.entries()) {
      const told = this.telling.take(entry, chunk.frames[place]!.bytes)
      if (!told) return this.rejoin('all')
      parts.push(told.bytes)
      this.isSilent = told.isLast === true
      if (this.isSilent) break
    }
    // As a rule one buffer for all who follow the run.
    const isVerbatim = parts.length === chunk.frames.length && parts.every((bytes, place) => bytes === chunk.frames[place]!.bytes)
    this.stream.write(isVerbatim ? chunk.buffer : Buffer.concat(parts))
    if (this.isSilent) void this.stream.end()
  }

  /** AG-UI has no event for it. */
  bookmark(): void {}

  gap(gap: Gap): void {
    if (!this.isSilent) this.rejoin(gap.to)
  }

  waiting(): { bytes: number; packets: number } {
    return { bytes: this.stream.waiting(), packets: 0 }
  }

  drained(): Promise<void> {
    return this.stream.drained()
  }

  private rejoin(since: Since): void {
    this.isSilent = true
    void this.telling.rejoin(since)
  }
}
