/**
 * Every metric of a process, declared in one place. Labels are bounded: types of the catalogue, families, codes of the failure table,
 * partitions, groups of addresses; never an id, a subject or a project. Seconds and bytes, as Prometheus has them.
 */
import { FAILURES, type Gap } from '@hubbub/protocol'
import { findEntry } from '@hubbub/protocol/catalogue'
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** Upper bounds of the latency buckets, seconds. */
export const LATENCY = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

const GAPS: readonly Gap['reason'][] = ['trimmed', 'epoch', 'session']

export type Metrics = ReturnType<typeof createMetrics>

export function createMetrics(options: { processMetrics?: boolean } = {}) {
  const registry = new Registry()
  if (options.processMetrics) collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) => new Counter({ name, help, labelNames, registers })
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) => new Gauge({ name, help, labelNames, registers })
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Histogram({ name, help, labelNames, buckets: LATENCY, registers })
  const metrics = {
    registry,
    connections: gauge('hubbub_connections', 'Open connections, by transport.', ['transport']),
    connectionsTotal: counter('hubbub_connections_total', 'Connections accepted since the start.'),
    subscriptions: gauge('hubbub_subscriptions', 'Topics subscribed to, by topic family.', ['family']),
    eventsIn: counter('hubbub_events_in_total', 'Events accepted from producers, by type.', ['type']),
    eventsOut: counter('hubbub_events_out_total', 'Event deliveries to sockets, by type.', ['type']),
    bytesIn: counter('hubbub_bytes_in_total', 'Bytes of events accepted.'),
    bytesOut: counter('hubbub_bytes_out_total', 'Bytes of event frames written to sockets.'),
    writes: counter('hubbub_socket_writes_total', 'Writes of event frames, by way: one buffer an audience, or ordinary packets.', ['way']),
    compressions: counter('hubbub_event_compressions_total', 'Events compressed; once an event and worker at most.'),
    encodes: counter('hubbub_event_encodes_total', 'Events encoded into frames; once an event and worker.'),
    rejections: counter('hubbub_rejections_total', 'Requests and events refused, by code.', ['code']),
    catchups: counter('hubbub_catchups_total', 'Sessions that fell back to reading the journal, by cause.', ['cause']),
    gaps: counter('hubbub_gaps_total', 'Gaps told to subscribers, by reason.', ['reason']),
    commitLatency: histogram('hubbub_commit_latency_seconds', 'Source entry to journal commit, seconds; of the oldest entry of each batch.'),
    commitDuration: histogram('hubbub_commit_duration_seconds', 'Round trip of one batch commit, seconds.'),
    deliveryLatency: histogram('hubbub_delivery_latency_seconds', 'Journal commit to socket write, seconds; of the last entry of each buffer.'),
    commits: counter('hubbub_commits_total', 'Batches committed, by status.', ['status']),
    committed: counter('hubbub_events_committed_total', 'Events committed to the journal.'),
    duplicates: counter('hubbub_duplicates_total', 'Source entries that had been seen before.'),
    processorLag: gauge('hubbub_processor_lag_entries', 'Source entries behind the committed positions, by partition.', ['partition']),
    tailLag: gauge('hubbub_tail_lag_seconds', 'Age of the oldest entry of the last burst when it was flushed, seconds, by partition.', ['partition']),
    owned: gauge('hubbub_partitions_owned', 'Partitions that this process owns.'),
    deadLetters: counter('hubbub_dead_letters_total', 'Entries put on the dead-letter stream, by code.', ['code']),
    deadLettersKept: gauge('hubbub_dead_letters', 'Dead letters kept, by partition.', ['partition']),
    sinkDeliveries: counter('hubbub_sink_deliveries_total', 'Attempts to deliver to outgoing webhooks, by outcome.', ['outcome']),
    sinkDuration: histogram('hubbub_sink_request_seconds', 'Request to an outgoing webhook, up to its status, seconds.'),
    sinks: gauge('hubbub_sinks', 'Outgoing webhooks of the whole hub, by status; failing ones of this process only.', ['status']),
    sinkLag: gauge('hubbub_sink_lag_seconds', 'Age of the oldest event that waits in this process for an outgoing webhook, seconds.'),
    storeErrors: counter('hubbub_store_errors_total', 'Failed store calls, by operation.', ['operation']),
    storeReconnects: counter('hubbub_store_reconnects_total', 'Connections to Redis that were lost and came back.'),
    // Looked at by `Census`; absent until it knows, and while the store is away.
    storeUp: gauge('hubbub_store_up', '1 while the store answers, 0 while it does not.'),
    storePing: gauge('hubbub_store_ping_seconds', 'Round trip to the store at the last look, seconds.'),
    unowned: gauge('hubbub_partitions_unowned', 'Partitions of the hub that no processor holds; every process says the same.'),
    workersAlive: gauge('hubbub_workers_alive', 'Workers of the hub that live, as this worker knows it.'),
    info: gauge('hubbub_info', 'Always 1: which process this is.', ['version', 'role', 'node']),
    leasesLost: counter('hubbub_leases_lost_total', 'Partitions that were taken from this processor while it held them.'),
    httpRequests: counter('hubbub_http_requests_total', 'HTTP requests answered, by group of addresses and class of status.', ['group', 'status']),
    spans: counter('hubbub_spans_total', 'Spans of sampled events, by outcome: exported, or lost because their receiver was away.', ['outcome']),
    taps: gauge('hubbub_taps', 'Debug taps that are on in this process.'),
    tapLines: counter('hubbub_tap_lines_total', 'Lines of debug taps, by outcome: written, or left out by HUBBUB_TAP_LINES.', ['outcome']),
  }
  // A series that begins with its first count is no increase to Prometheus: these are watched for the first one.
  for (const code of Object.keys(FAILURES)) metrics.deadLetters.inc({ code }, 0)
  for (const reason of GAPS) metrics.gaps.inc({ reason }, 0)
  return metrics
}

/** A type as a label: the open families count under their pattern. */
export function typeLabel(type: string): string {
  return findEntry(type)?.type ?? 'unknown'
}
