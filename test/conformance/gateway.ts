/**
 * What every way in and out of the hub can do, as the cases ask for it. A driver is one way: it translates and adds nothing, except that
 * it comes back after a cut by the means that its wire has for that.
 */
import type { EventInput, Gap, HistoryRequest, HubEvent, SubscribeRequest } from '@hubbub/protocol'

/** An event as it reached somebody, whatever the wire's form for it. */
export type Heard = Pick<HubEvent, 'id' | 'type' | 'timestamp' | 'topics' | 'data' | 'metadata'> & { cursor: string }

export interface Credentials {
  /** Absent: nobody in particular. */
  token?: string
  /** One of those that the token grants. */
  project?: string
  /** Large events compressed, where the wire can. */
  compress?: boolean
}

export interface Published {
  /** The hub's failure code, where it refused. */
  refused?: string
  type?: string
  duplicate?: boolean
}

/** A failure of the hub, under the code of the failure table. */
export class Refused extends Error {
  constructor(readonly code: string, message = code) {
    super(`${code}: ${message}`)
    this.name = 'Refused'
  }
}

export interface Connected {
  /** In order of arrival; what history answers is not among them. */
  readonly heard: readonly Heard[]
  readonly gaps: readonly Gap[]
  /** Why the hub ended it, or what it complained of. */
  readonly complaints: readonly string[]
  /** Resolves when what was asked for by `since` is heard and events come live. Rejects with `Refused`, like all of these. */
  subscribe(request: SubscribeRequest): Promise<void>
  /** Of what was subscribed to, these topics and no others. */
  unsubscribe(topics: string[]): Promise<void>
  /** One answer each, in order. */
  publish(inputs: EventInput[], ack?: 'accepted'): Promise<Published[]>
  command(command: string, payload?: unknown): Promise<unknown>
  snapshot(topics: string[]): Promise<{ kind: string; id: string }[]>
  history(request: HistoryRequest): Promise<{ events: Heard[]; gap?: Gap }>
  signal(topic: string, name: string, data?: unknown): Promise<void>
  close(): Promise<void> | void
}

export interface Driver {
  readonly name: string
  /** Rejects with `Refused`. */
  connect(url: string, credentials: Credentials): Promise<Connected>
  /** Of what all its connections share. */
  close?(): Promise<void>
}

/** Records what a connection heard. */
export class Log {
  readonly heard: Heard[] = []
  readonly gaps: Gap[] = []
  readonly complaints: string[] = []

  /** The last cursor that the hub said, event or not. */
  cursor: string | undefined

  event({ id, type, timestamp, topics, data, metadata }: Omit<Heard, 'cursor'>, cursor: string): void {
    this.heard.push({ id, type, timestamp, topics, data, metadata, cursor })
    this.cursor = cursor
  }

  gap(gap: Gap): void {
    this.gaps.push(gap)
    this.cursor = gap.to
  }
}

/** What a connection was told, as its log has it. */
export abstract class Logged {
  constructor(protected readonly log = new Log()) {}

  get heard(): Heard[] {
    return this.log.heard
  }

  get gaps(): Gap[] {
    return this.log.gaps
  }

  get complaints(): string[] {
    return this.log.complaints
  }
}
