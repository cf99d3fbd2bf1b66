/**
 * What the stages tell of single events, to spans and to the debug tap. Each stage asks `isOn` once a publish, commit or burst; that is
 * all that an event costs which nobody watches.
 */
import type { Failure, HubError, HubEvent, NormalEvent, Offset } from '@hubbub/protocol'
import type { Tap } from './tap.js'
import type { Publishing, Tracing } from './tracing.js'

/** A commit, as far as it is told. */
export interface CommittedBatch {
  number: number
  appends: readonly { seen: string; event: string }[]
  refusals: readonly { dead?: { code: string; fields: Record<string, string> } }[]
}

/** An event that this process took in, until its publisher is answered. */
export interface Passage {
  end(result: Parameters<Publishing['end']>[0]): void
}

/** Whoever sent a message. */
export interface Sender {
  connection: string
  subject: string
  project: string
}

export class Witness {
  constructor(private readonly tap: Tap, private readonly tracing?: Tracing) {}

  get isOn(): boolean {
    return this.tap.isOn || this.tracing !== undefined
  }

  /** An event was admitted and is to be written; it may get a `metadata.traceparent` here. */
  admitted(event: NormalEvent, id: string, { project, source }: { project: string; source: string }): Passage {
    const publishing = this.tracing?.publishing(event, id, project)
    const entry = this.tap.isOn ? this.tap.received(event, id, project, source) : undefined
    return {
      end: (result) => {
        publishing?.end(result)
        if (result.failure && entry) this.tap.refused(entry, result.failure.code)
      },
    }
  }

  /** It was refused at the door: it may be anything. */
  refused(input: unknown, project: string, source: string, failure: HubError): void {
    const given = typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as Record<string, unknown>) : {}
    this.tracing?.refused(given, project, failure)
    if (this.tap.isOn) this.tap.refusedInput(given, project, source, failure.code)
  }

  committed(partition: number, batch: CommittedBatch, offsets: readonly Offset[]): void {
    for (const [place, { seen, event: json }] of batch.appends.entries()) {
      // Parsing costs as much as committing: only what can concern somebody.
      if (!this.tap.isOn && !json.includes('"traceparent":"')) continue
      const event = JSON.parse(json) as HubEvent
      const at = { partition, offset: offsets[place]!, batch: batch.number, events: batch.appends.length }
      this.tracing?.committed(event, seen === '', at)
      if (this.tap.isOn) this.tap.committed(event, at)
    }
    if (!this.tap.isOn) return
    for (const { dead } of batch.refusals) if (dead) this.tap.buried(partition, dead.code, dead.fields)
  }

  /** A burst, or what was gathered, went to so many live sessions each. */
  delivered(partition: number, receivers: Iterable<readonly [entry: { event: HubEvent; offset: Offset }, sessions: number]>): void {
    for (const [{ event, offset }, sessions] of receivers) {
      this.tracing?.delivered(event, { partition, offset, sessions })
      if (this.tap.isOn) this.tap.delivered(event, { partition, offset, sessions, way: 'live' })
    }
  }

  /** One session that is behind read them from the journal. */
  caughtUp(partition: number, entries: Iterable<{ event: HubEvent; offset: Offset }>): void {
    if (!this.tap.isOn) return
    for (const { event, offset } of entries) this.tap.delivered(event, { partition, offset, sessions: 1, way: 'behind' })
  }

  /** A client's message; answers what is to be called with its answer. */
  message(sender: Sender, name: unknown, input: unknown): (answer: { ok: true } | { ok: false; error: Failure }) => void {
    const told = this.tap.isOn && this.tap.message(sender, name, input)
    return (answer) => {
      if (told && !answer.ok) this.tap.messageRefused(sender, name, answer.error.code)
    }
  }
}
