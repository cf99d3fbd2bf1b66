/**
 * The dashboard's rows and panels. `{@}` in an expression is the choice of processes at the top of the page, `{@,code="X"}` with more.
 * A panel: title, width of 24, unit of Grafana, expressions with their legends; `stat` shows the last value alone.
 */
const percentiles = (metric, legend = '') =>
  [0.5, 0.95, 0.99].map((share) => [`histogram_quantile(${share}, sum by (le) (rate(${metric}_bucket{@}[$__rate_interval])))`, `${legend}p${share * 100}`])
const rate = (metric, by) => `sum by (${by}) (rate(${metric}{@}[$__rate_interval]))`

export const ROWS = [
  ['Now', [
    { title: 'Workers', width: 3, kind: 'stat', unit: 'short', of: [['count(hubbub_info{@,role=~"all|worker"})', 'workers']], about: 'That Prometheus reaches.' },
    { title: 'Processors', width: 3, kind: 'stat', unit: 'short', of: [['count(hubbub_info{@,role=~"all|processor"})', 'processors']], about: 'That Prometheus reaches.' },
    { title: 'Connections', width: 3, kind: 'stat', unit: 'short', of: [['sum(hubbub_connections{@})', 'open']] },
    { title: 'Events in', width: 3, kind: 'stat', unit: 'eps', of: [['sum(rate(hubbub_events_in_total{@}[$__rate_interval]))', 'accepted']] },
    { title: 'Deliveries', width: 3, kind: 'stat', unit: 'eps', of: [['sum(rate(hubbub_events_out_total{@}[$__rate_interval]))', 'delivered']] },
    { title: 'Without owner', width: 3, kind: 'stat', unit: 'short', alarm: 1, of: [['max(hubbub_partitions_unowned{@})', 'partitions']], about: 'Partitions that no processor holds.' },
    { title: 'Lag', width: 3, kind: 'stat', unit: 'short', alarm: 5000, of: [['max(hubbub_processor_lag_entries{@})', 'entries']], about: 'Entries behind, of the worst partition.' },
    { title: 'Store', width: 3, kind: 'stat', unit: 's', of: [['max(hubbub_store_ping_seconds{@})', 'ping']], about: 'Slowest round trip; no value: out of reach.' },
  ]],
  ['Traffic', [
    { title: 'Events accepted, by type', width: 12, unit: 'eps', of: [[rate('hubbub_events_in_total', 'type'), '{{type}}']] },
    { title: 'Events delivered, by type', width: 12, unit: 'eps', of: [[rate('hubbub_events_out_total', 'type'), '{{type}}']], about: 'Once for each socket that got it live.' },
    { title: 'Events through the hub', width: 8, unit: 'eps', of: [['sum(rate(hubbub_events_in_total{@}[$__rate_interval]))', 'accepted'], ['sum(rate(hubbub_events_committed_total{@}[$__rate_interval]))', 'committed'], ['sum(rate(hubbub_duplicates_total{@}[$__rate_interval]))', 'repeated']], about: 'Derived events are committed, too.' },
    { title: 'Bytes', width: 8, unit: 'Bps', of: [['sum(rate(hubbub_bytes_in_total{@}[$__rate_interval]))', 'in'], ['sum(rate(hubbub_bytes_out_total{@}[$__rate_interval]))', 'out']] },
    { title: 'HTTP requests', width: 8, unit: 'reqps', of: [[rate('hubbub_http_requests_total', 'group, status'), '{{group}} {{status}}']] },
  ]],
  ['Latency', [
    { title: 'Commit: source stream to journal', width: 8, unit: 's', of: percentiles('hubbub_commit_latency_seconds') },
    { title: 'Delivery: journal to socket', width: 8, unit: 's', of: percentiles('hubbub_delivery_latency_seconds') },
    { title: 'Round trip of a commit', width: 8, unit: 's', of: percentiles('hubbub_commit_duration_seconds') },
  ]],
  ['Partitions', [
    { title: 'Lag, by partition', width: 8, unit: 'short', of: [['max by (partition) (hubbub_processor_lag_entries{@})', 'partition {{partition}}']], about: 'Source entries behind the committed positions.' },
    { title: 'Age of bursts when flushed', width: 8, unit: 's', of: [['max by (partition) (hubbub_tail_lag_seconds{@})', 'partition {{partition}}']] },
    { title: 'Partitions owned', width: 8, unit: 'short', of: [['hubbub_partitions_owned{@}', '{{instance}}'], ['max(hubbub_partitions_unowned{@})', 'nobody']] },
    { title: 'Commits, by outcome', width: 12, unit: 'ops', of: [[rate('hubbub_commits_total', 'status'), '{{status}}']], about: 'Fenced and lost ones begin anew under a new fence; nothing is repeated.' },
    { title: 'Leases lost', width: 12, unit: 'short', of: [['sum by (instance) (increase(hubbub_leases_lost_total{@}[$__rate_interval]))', '{{instance}}']] },
  ]],
  ['Connections', [
    { title: 'Open, by transport', width: 8, unit: 'short', of: [['sum by (transport) (hubbub_connections{@})', '{{transport}}']] },
    { title: 'Open, by worker', width: 8, unit: 'short', of: [['sum by (instance) (hubbub_connections{@})', '{{instance}}']] },
    { title: 'Opened', width: 8, unit: 'cps', of: [['sum(rate(hubbub_connections_total{@}[$__rate_interval]))', 'opened']], about: 'Many at once: a worker went away, or clients that cannot stay.' },
    { title: 'Topics subscribed to, by family', width: 12, unit: 'short', of: [['sum by (family) (hubbub_subscriptions{@})', '{{family}}']] },
    { title: 'Work a delivery', width: 12, unit: 'ops', of: [['sum(rate(hubbub_event_encodes_total{@}[$__rate_interval]))', 'encoded'], ['sum(rate(hubbub_event_compressions_total{@}[$__rate_interval]))', 'compressed'], [rate('hubbub_socket_writes_total', 'way'), 'writes: {{way}}']] },
  ]],
  ['Slow clients and gaps', [
    { title: 'Fell back to the journal, by cause', width: 12, unit: 'ops', of: [[rate('hubbub_catchups_total', 'cause'), '{{cause}}']], about: '`slow`: a socket that did not drain; `resume`: came back; `jump`: the journal is another.' },
    { title: 'Gaps told, by reason', width: 12, unit: 'short', of: [['sum by (reason) (increase(hubbub_gaps_total{@}[$__rate_interval]))', '{{reason}}']], about: '`epoch` is loss in the store.' },
  ]],
  ['Errors', [
    { title: 'Refusals, by code', width: 12, unit: 'ops', of: [[rate('hubbub_rejections_total', 'code'), '{{code}}']] },
    { title: 'Share that failed by the hub\'s fault', width: 6, unit: 'percentunit', of: [['sum(rate(hubbub_rejections_total{@,code=~"INTERNAL_ERROR|UNAVAILABLE|OUTCOME_UNKNOWN|HUB_STREAM_LOST"}[$__rate_interval])) / (sum(rate(hubbub_rejections_total{@}[$__rate_interval])) + sum(rate(hubbub_events_in_total{@}[$__rate_interval])))', 'failed']] },
    { title: 'Store: errors and reconnects', width: 6, unit: 'ops', of: [[rate('hubbub_store_errors_total', 'operation'), '{{operation}}'], ['sum(rate(hubbub_store_reconnects_total{@}[$__rate_interval]))', 'reconnects']] },
  ]],
  ['Dead letters', [
    { title: 'Kept, by partition', width: 12, unit: 'short', of: [['max by (partition) (hubbub_dead_letters{@})', 'partition {{partition}}']], about: 'hubbub dead list' },
    { title: 'New ones, by code', width: 12, unit: 'short', of: [['sum by (code) (increase(hubbub_dead_letters_total{@}[$__rate_interval])) > 0', '{{code}}']] },
  ]],
  ['Outgoing webhooks', [
    { title: 'Sinks, by status', width: 6, unit: 'short', of: [['max by (status) (hubbub_sinks{@})', '{{status}}']] },
    { title: 'Attempts, by outcome', width: 6, unit: 'ops', of: [[rate('hubbub_sink_deliveries_total', 'outcome'), '{{outcome}}']] },
    { title: 'Request of a delivery', width: 6, unit: 's', of: percentiles('hubbub_sink_request_seconds') },
    { title: 'Oldest event that waits', width: 6, unit: 's', of: [['max by (instance) (hubbub_sink_lag_seconds{@})', '{{instance}}']] },
  ]],
  ['Process', [
    { title: 'CPU', width: 6, unit: 'percentunit', of: [['rate(process_cpu_seconds_total{@}[$__rate_interval])', '{{instance}}']], about: 'Of one core; a hub uses little more than one.' },
    { title: 'Memory', width: 6, unit: 'bytes', of: [['process_resident_memory_bytes{@}', '{{instance}}'], ['nodejs_heap_size_used_bytes{@}', '{{instance}} heap']] },
    { title: 'Event-loop lag, p99', width: 6, unit: 's', of: [['nodejs_eventloop_lag_p99_seconds{@}', '{{instance}}']] },
    { title: 'Garbage collection', width: 6, unit: 'percentunit', of: [['sum by (instance) (rate(nodejs_gc_duration_seconds_sum{@}[$__rate_interval]))', '{{instance}}']], about: 'Share of the time.' },
    { title: 'Versions', width: 8, unit: 'short', of: [['count by (version, role) (hubbub_info{@})', '{{role}} {{version}}']] },
    { title: 'Store round trip', width: 8, unit: 's', of: [['hubbub_store_ping_seconds{@}', '{{instance}}']] },
    { title: 'Spans and tap lines', width: 8, unit: 'ops', of: [[rate('hubbub_spans_total', 'outcome'), 'spans {{outcome}}'], [rate('hubbub_tap_lines_total', 'outcome'), 'tap lines {{outcome}}']] },
  ]],
]
