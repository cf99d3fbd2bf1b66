/** Every metric of a process, declared in one place. Labels are bounded: types of the catalogue, families, codes. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

const LATENCY = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

export type Metrics = ReturnType<typeof createMetrics>

export function createMetrics(options: { processMetrics?: boolean } = {}) {
  const registry = new Registry()
  if (options.processMetrics) collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) => new Counter({ name, help, labelNames, registers })
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) => new Gauge({ name, help, labelNames, registers })
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Histogram({ name, help, labelNames, buckets: LATENCY, registers })
  return {
    registry,
    connections: gauge('hubbub_connections', 'Open connections by transport.', ['transport']),
    connectionsTotal: counter('hubbub_connections_total', 'Connections accepted since the start.'),
    subscriptions: gauge('hubbub_subscriptions', 'Live subscriptions by topic family.', ['family']),
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
    commitLatency: histogram('hubbub_commit_latency_seconds', 'Source entry to journal commit.'),
    commitDuration: histogram('hubbub_commit_duration_seconds', 'Round trip of one batch commit.'),
    deliveryLatency: histogram('hubbub_delivery_latency_seconds', 'Journal commit to socket write.'),
    commits: counter('hubbub_commits_total', 'Batches committed, by status.', ['status']),
    committed: counter('hubbub_events_committed_total', 'Events committed to the journal.'),
    duplicates: counter('hubbub_duplicates_total', 'Source entries that had been seen before.'),
    processorLag: gauge('hubbub_processor_lag_entries', 'Source entries behind the committed positions, by partition.', ['partition']),
    tailLag: gauge('hubbub_tail_lag_seconds', 'Age of the oldest entry of the last burst when it was flushed, by partition.', ['partition']),
    owned: gauge('hubbub_partitions_owned', 'Partitions that this process owns.'),
    deadLetters: counter('hubbub_dead_letters_total', 'Entries put on the dead-letter stream, by code.', ['code']),
    deadLettersKept: gauge('hubbub_dead_letters', 'Dead letters kept, by partition.', ['partition']),
    sinkDeliveries: counter('hubbub_sink_deliveries_total', 'Attempts to deliver to outgoing webhooks, by outcome.', ['outcome']),
    sinkDuration: histogram('hubbub_sink_request_seconds', 'Request to an outgoing webhook, up to its status.'),
    sinks: gauge('hubbub_sinks', 'Outgoing webhooks of the whole hub, by status; failing ones of this process only.', ['status']),
    sinkLag: gauge('hubbub_sink_lag_seconds', 'Age of the oldest event that waits in this process for an outgoing webhook.'),
    storeErrors: counter('hubbub_store_errors_total', 'Failed store calls, by operation.', ['operation']),
  }
}
