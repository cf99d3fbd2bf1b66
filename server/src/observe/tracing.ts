/**
 * Spans of an event's way, `hubbub.publish` -> `hubbub.commit` -> `hubbub.deliver`, each written by another process perhaps. What joins
 * them is the event's own `metadata.traceparent` and nothing else: no field of a source entry or of the journal. Where a producer gave one,
 * it stays as it was given. So the spans' ids are not carried but computed, of trace, project and event id: who commits knows the span that
 * published, who delivers the one that committed.
 *
 *   producer's span (its traceparent, if it gave one)
 *     `-- hubbub.publish      id of (trace, event, publish)     from the call to its answer
 *           `-- hubbub.commit   id of (trace, event, commit)      from source entry to journal, by the store's clock
 *                 |-- hubbub.deliver   any id                       from journal to sockets, once a worker and burst
 *                 `-- hubbub.commit    of what follows from the event
 */
import { createHash, randomBytes } from 'node:crypto'
import { offsetMillis, type HubError, type HubEvent, type NormalEvent, type Offset } from '@hubbub/protocol'
import type { Settings } from '../settings/table.js'

export type SpanName = 'hubbub.publish' | 'hubbub.commit' | 'hubbub.deliver'

/** W3C Trace Context, as far as it concerns us. */
export interface TraceParent {
  traceId: string
  spanId: string
  /** 1: its producer sampled it. */
  flags: number
  state?: string
}

/** A finished span; times in ms since the epoch. */
export interface SpanRecord {
  name: SpanName
  traceId: string
  /** Absent: any. */
  spanId?: string
  parent?: TraceParent
  startMs: number
  endMs: number
  attributes: Readonly<Record<string, string | number | boolean>>
  failure?: Pick<HubError, 'code' | 'message'>
}

/** Where spans go: OpenTelemetry's SDK, which is loaded only when there is an endpoint. */
export interface SpanSink {
  /** The configured sampler's word; deterministic, so that all processes agree. */
  isSampled(traceId: string, parent: TraceParent | undefined): boolean
  record(span: SpanRecord): void
  /** Hands over what waits, for at most so many ms. Never rejects. */
  close(ms: number): Promise<void>
}

/** A publish under way. */
export interface Publishing {
  end(result: { offset?: Offset; repeated?: boolean; failure?: HubError }): void
}

export function isTracing(settings: Pick<Settings, 'otlpEndpoint' | 'otlpTracesEndpoint' | 'otelDisabled'>): boolean {
  return settings.otelDisabled !== 'true' && (settings.otlpEndpoint !== '' || settings.otlpTracesEndpoint !== '')
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})/

export function readTraceparent(text: unknown, state?: string): TraceParent | undefined {
  const match = typeof text === 'string' ? TRACEPARENT.exec(text) : null
  return match ? { traceId: match[1]!, spanId: match[2]!, flags: Number.parseInt(match[3]!, 16) & 1, ...(state !== undefined && { state }) } : undefined
}

export class Tracing {
  constructor(private readonly sink: SpanSink) {}

  /**
   * Before the event is written. One without a traceparent that is sampled gets one here, so that the others join; one that is not sampled
   * gets none, and costs nobody anything from here on. Undefined: not sampled.
   */
  publishing(event: Pick<NormalEvent, 'type' | 'metadata'>, id: string, project: string): Publishing | undefined {
    const { metadata } = event
    const parent = readTraceparent(metadata.traceparent, metadata.tracestate)
    const traceId = parent?.traceId ?? randomBytes(16).toString('hex')
    if (!this.sink.isSampled(traceId, parent)) return undefined
    const own = spanIdOf(traceId, project, id, 'publish')
    if (!parent) metadata.traceparent = `00-${traceId}-${own}-01`
    const startMs = Date.now()
    const attributes = { ...attributesOf(event.type, id, project), 'messaging.operation.type': 'send', 'messaging.operation.name': 'publish' }
    return {
      end: ({ offset, repeated, failure }) => {
        // A repetition under the same trace has the first one's place taken: a span of its own beside it.
        const isFirst = !repeated && (failure === undefined || failure.code === 'OUTCOME_UNKNOWN')
        this.sink.record({
          name: 'hubbub.publish', traceId, ...(isFirst && { spanId: own }), ...(parent && { parent }), startMs, endMs: Date.now(), ...(failure && { failure }),
          attributes: { ...attributes, ...(offset !== undefined && { 'hubbub.offset': offset }), ...(repeated && { 'hubbub.duplicate': true }) },
        })
      },
    }
  }

  /** What was refused before it had an id; only of those whose producer traces it. */
  refused(input: { type?: unknown; metadata?: unknown }, project: string, failure: HubError): void {
    const { traceparent } = (typeof input.metadata === 'object' && input.metadata !== null ? input.metadata : {}) as { traceparent?: unknown }
    const parent = readTraceparent(traceparent)
    if (!parent || !this.sink.isSampled(parent.traceId, parent)) return
    const now = Date.now()
    this.sink.record({ name: 'hubbub.publish', traceId: parent.traceId, parent, startMs: now, endMs: now, failure, attributes: { 'messaging.system': 'hubbub', 'messaging.destination.name': project, 'hubbub.project': project } })
  }

  /** @param isDerived nobody published it: it follows from the event that it names as its cause */
  committed(event: HubEvent, isDerived: boolean, at: { partition: number; offset: Offset; batch: number; events: number }): void {
    const producer = this.sampled(event)
    if (!producer) return
    const { traceId } = producer
    const { id, project, metadata } = event
    const parentId = isDerived && metadata.causationId !== undefined
      ? spanIdOf(traceId, project, metadata.causationId, 'commit')
      // What was written into a source stream directly was published by no span of ours.
      : isDerived || metadata.source.startsWith('/streams/') ? producer.spanId : spanIdOf(traceId, project, id, 'publish')
    this.sink.record({
      name: 'hubbub.commit', traceId, spanId: spanIdOf(traceId, project, id, 'commit'), parent: { ...producer, spanId: parentId }, startMs: metadata.recordedAt, endMs: offsetMillis(at.offset),
      attributes: {
        ...attributesOf(event.type, id, project), ...placeOf(at), 'messaging.operation.type': 'process', 'messaging.operation.name': 'commit',
        'hubbub.batch': at.batch, 'messaging.batch.message_count': at.events, ...(isDerived && { 'hubbub.derived': true }),
      },
    })
  }

  /** Once a worker and burst; whoever catches up gets it by a read of the journal, which is no part of the event's way. */
  delivered(event: HubEvent, at: { partition: number; offset: Offset; sessions: number }): void {
    const producer = this.sampled(event)
    if (!producer) return
    const { traceId } = producer
    const { id, project } = event
    this.sink.record({
      name: 'hubbub.deliver', traceId, parent: { ...producer, spanId: spanIdOf(traceId, project, id, 'commit') }, startMs: offsetMillis(at.offset), endMs: Date.now(),
      attributes: { ...attributesOf(event.type, id, project), ...placeOf(at), 'messaging.operation.type': 'send', 'messaging.operation.name': 'deliver', 'hubbub.sessions': at.sessions },
    })
  }

  close(ms: number): Promise<void> {
    return this.sink.close(ms)
  }

  private sampled({ metadata }: HubEvent): TraceParent | undefined {
    const producer = readTraceparent(metadata.traceparent, metadata.tracestate)
    return producer && this.sink.isSampled(producer.traceId, producer) ? producer : undefined
  }
}

function spanIdOf(traceId: string, project: string, eventId: string, stage: 'publish' | 'commit'): string {
  return createHash('sha256').update(`${traceId} ${project} ${stage} ${eventId}`).digest('hex').slice(0, 16)
}

function attributesOf(type: string, id: string, project: string): Record<string, string> {
  return { 'messaging.system': 'hubbub', 'messaging.destination.name': project, 'messaging.message.id': id, 'hubbub.project': project, 'hubbub.type': type }
}

function placeOf({ partition, offset }: { partition: number; offset: Offset }): Record<string, string | number> {
  return { 'messaging.destination.partition.id': String(partition), 'hubbub.partition': partition, 'hubbub.offset': offset }
}
