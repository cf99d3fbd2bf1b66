/** Spans handed to OpenTelemetry's SDK, which sends them by OTLP over HTTP. Loaded only where an endpoint is set. */
import { createTraceState, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Context } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes, type Resource } from '@opentelemetry/resources'
import {
  AlwaysOffSampler, AlwaysOnSampler, BasicTracerProvider, BatchSpanProcessor, ParentBasedSampler, RandomIdGenerator, SamplingDecision, TraceIdRatioBasedSampler,
  type IdGenerator, type Sampler, type SpanExporter,
} from '@opentelemetry/sdk-trace-base'
import type { Settings } from '../settings/table.js'
import type { Logger } from './log.js'
import type { Metrics } from './metrics.js'
import type { SpanName, SpanRecord, SpanSink, TraceParent } from './tracing.js'

const KINDS: Record<SpanName, SpanKind> = { 'hubbub.publish': SpanKind.PRODUCER, 'hubbub.commit': SpanKind.CONSUMER, 'hubbub.deliver': SpanKind.INTERNAL }

/** Spans of one export; OpenTelemetry's own standard. */
const MOST_OF_REQUEST = 512

export interface Process {
  node: string
  role: string
  version: string
}

interface Queue {
  waiting: number
  most: number
}

export function openSpanSink(settings: Settings, process: Process, metrics: Pick<Metrics, 'spans'>, log: Logger): SpanSink {
  const sampler = samplerOf(settings.otelSampler, Number(settings.otelSamplerArg || 1))
  const ids = new GivenIds()
  const url = settings.otlpTracesEndpoint || `${settings.otlpEndpoint.replace(/\/+$/, '')}/v1/traces`
  const queue = { waiting: 0, most: settings.otelQueue }
  const exporter = patient(new OTLPTraceExporter({ url }), queue, metrics, log)
  const processor = new BatchSpanProcessor(exporter, { maxQueueSize: queue.most, maxExportBatchSize: Math.min(MOST_OF_REQUEST, queue.most) })
  const provider = new BasicTracerProvider({ resource: resourceOf(settings, process), sampler, idGenerator: ids, spanProcessors: [processor] })
  const tracer = provider.getTracer('hubbub', process.version)
  return {
    isSampled: (traceId, parent) => sampler.shouldSample(contextOf(parent), traceId, 'hubbub', SpanKind.PRODUCER, {}, []).decision === SamplingDecision.RECORD_AND_SAMPLED,
    record(record) {
      // Counted here, the export under way included: a receiver that is away costs no more memory than this, and no more work.
      if (queue.waiting >= queue.most) return metrics.spans.inc({ outcome: 'lost' })
      // The generator is asked within the call.
      ids.give(record)
      const { startMs, endMs, attributes, failure } = record
      // Redis and this process need not have the same clock: no span ends before it began.
      const span = tracer.startSpan(record.name, { kind: KINDS[record.name], startTime: new Date(Math.min(startMs, endMs)), attributes }, contextOf(record.parent))
      if (!span.isRecording()) return
      queue.waiting++
      if (failure) {
        span.setAttribute('error.type', failure.code)
        span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message })
      }
      span.end(new Date(endMs))
    },
    close: (ms) => withinMs(provider.shutdown(), ms),
  }
}

/** OTEL_RESOURCE_ATTRIBUTES may name the service, too; OTEL_SERVICE_NAME wins. */
function resourceOf({ otelServiceName }: Settings, { node, role, version }: Process): Resource {
  const hub = resourceFromAttributes({ 'service.name': 'hubbub', 'service.version': version, 'service.instance.id': node, 'hubbub.role': role })
  const named = resourceFromAttributes(otelServiceName === '' ? {} : { 'service.name': otelServiceName })
  return defaultResource().merge(hub).merge(detectResources({ detectors: [envDetector] })).merge(named)
}

/** Ids that were computed, or any. */
class GivenIds implements IdGenerator {
  private readonly any = new RandomIdGenerator()
  private given: Pick<SpanRecord, 'traceId' | 'spanId'> | undefined

  give(record: Pick<SpanRecord, 'traceId' | 'spanId'>): void {
    this.given = record
  }

  generateTraceId = (): string => this.given?.traceId ?? this.any.generateTraceId()
  generateSpanId = (): string => this.given?.spanId ?? this.any.generateSpanId()
}

/** By OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG. */
function samplerOf(name: string, share: number): Sampler {
  const [, based, kind] = /^(parentbased_)?(always_on|always_off|traceidratio)$/.exec(name) ?? []
  const root = kind === 'always_off' ? new AlwaysOffSampler() : kind === 'traceidratio' ? new TraceIdRatioBasedSampler(share) : new AlwaysOnSampler()
  return based ? new ParentBasedSampler({ root }) : root
}

function contextOf(parent: TraceParent | undefined): Context {
  if (!parent) return ROOT_CONTEXT
  const { traceId, spanId, flags, state } = parent
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true, ...(state !== undefined && { traceState: createTraceState(state) }) })
}

/** A receiver that is away is said once, and once that it is back; its spans are lost, and nothing else. */
function patient(inner: SpanExporter, queue: Queue, metrics: Pick<Metrics, 'spans'>, log: Logger): SpanExporter {
  let isAway = false
  const took = (count: number): void => {
    metrics.spans.inc({ outcome: 'exported' }, count)
    if (isAway) log.info('spans are exported again')
    isAway = false
  }
  const lost = (count: number, error: unknown): void => {
    metrics.spans.inc({ outcome: 'lost' }, count)
    if (!isAway) log.warn({ err: error }, 'spans cannot be exported; they are lost until their receiver is back')
    isAway = true
  }
  return {
    export: (spans, done) => inner.export(spans, (result) => {
      queue.waiting -= spans.length
      // A failure always has one.
      if (result.error === undefined) took(spans.length)
      else lost(spans.length, result.error)
      // The SDK tells its diagnostics, which nobody turned on.
      done(result)
    }),
    forceFlush: async () => inner.forceFlush?.(),
    shutdown: () => inner.shutdown(),
  }
}

async function withinMs(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([work.catch(() => undefined), late])
  clearTimeout(timer)
}
