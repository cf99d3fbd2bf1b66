/**
 * Every setting and limit of the hub: environment variable, flag, unit, default, what is allowed. Source of truth for
 * `hubbub up --help`, CONFIGURATION.md (generated) and the check at the start, which names the variable, the value and
 * what is allowed. Flags win over the environment.
 */

export type Kind =
  | { kind: 'integer'; min: number; max: number }
  | { kind: 'choice'; of: readonly string[] }
  | { kind: 'text'; pattern?: RegExp; allowed: string }

export interface Setting {
  env: string
  /** `--name` of `hubbub up`; settings without one are set by environment only. */
  flag?: string
  value: Kind
  /** As it would stand in the environment; empty: unset. */
  default: string
  unit?: string
  /** One line, for the documents. */
  about: string
}

const integer = (min: number, max = Number.MAX_SAFE_INTEGER) => ({ kind: 'integer', min, max }) as const
const choice = (...of: string[]) => ({ kind: 'choice', of }) as const
const text = (allowed: string, pattern?: RegExp) => ({ kind: 'text', allowed, pattern }) as const

export const SETTINGS = {
  host: { env: 'HUBBUB_HOST', flag: 'host', value: text('a host name or address'), default: '127.0.0.1', about: 'Address to listen on.' },
  port: { env: 'HUBBUB_PORT', flag: 'port', value: integer(0, 65535), default: '4000', about: 'Port to listen on; 0 takes a free one.' },
  role: { env: 'HUBBUB_ROLE', flag: 'role', value: choice('all', 'worker', 'processor'), default: 'all', about: 'What this process does. `worker` and `processor` need Redis.' },
  workers: { env: 'HUBBUB_WORKERS', flag: 'workers', value: integer(1, 256), default: '1', unit: 'processes', about: 'Workers on this machine, behind one port; more than one need Redis. 1: this process is all there is.' },
  processors: { env: 'HUBBUB_PROCESSORS', flag: 'processors', value: integer(1, 256), default: '1', unit: 'processes', about: 'Processors beside several workers (role `all`).' },
  startMs: { env: 'HUBBUB_START_MS', value: integer(1000, 600_000), default: '30000', unit: 'ms', about: 'Of several workers and their processors: one that is not ready by then is ended and started anew; in a reload the old one stays.' },
  adminPort: { env: 'HUBBUB_ADMIN_PORT', value: integer(0, 65535), default: '0', about: 'With several workers: port of /metrics and /health/ready of all processes of the machine together, without a credential; 0: none.' },
  adminHost: { env: 'HUBBUB_ADMIN_HOST', value: text('a host name or address'), default: '127.0.0.1', about: 'Address of that port.' },
  redisUrl: { env: 'REDIS_URL', flag: 'redis', value: text('a redis://, redis+sentinel:// or redis+cluster:// URL; rediss for TLS', /^rediss?(\+sentinel|\+cluster)?:\/\/\S+$/), default: '', about: 'Redis of the cluster; unset: the in-memory store, history gone on exit.' },
  redisCaFile: { env: 'HUBBUB_REDIS_CA_FILE', value: text('path of a PEM file'), default: '', about: 'Certificates that sign Redis\' own, for rediss://; unset: those that Node trusts.' },
  redisCertFile: { env: 'HUBBUB_REDIS_CERT_FILE', value: text('path of a PEM file'), default: '', about: 'The hub\'s certificate for a Redis that asks for one.' },
  redisKeyFile: { env: 'HUBBUB_REDIS_KEY_FILE', value: text('path of a PEM file'), default: '', about: 'And its key.' },
  partitions: { env: 'HUBBUB_PARTITIONS', flag: 'partitions', value: integer(1, 1024), default: '4', about: 'Partitions of the journal; fixed at first start, written to Redis.' },
  adapter: { env: 'HUBBUB_ADAPTER', flag: 'adapter', value: choice('sharded', 'pubsub', 'streams'), default: 'sharded', about: 'Redis adapter that carries signals between workers.' },
  nodeId: { env: 'HUBBUB_NODE_ID', value: text('letters, digits, . _ -', /^[A-Za-z0-9._-]{1,64}$/), default: '', about: 'Name of this process in logs, metrics and leases; unset: host, pid and a nonce.' },
  logLevel: { env: 'HUBBUB_LOG_LEVEL', value: choice('trace', 'debug', 'info', 'warn', 'error', 'silent'), default: 'info', about: 'Least severe line that is logged.' },
  otlpEndpoint: { env: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: text('an http:// or https:// URL', /^https?:\/\/\S+$/), default: '', about: 'Receiver of spans by OTLP over HTTP (JSON), `/v1/traces` is added; unset: no spans. Headers and the like by OpenTelemetry\'s own variables.' },
  otlpTracesEndpoint: { env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', value: text('an http:// or https:// URL', /^https?:\/\/\S+$/), default: '', about: 'The same as it is, nothing added; wins.' },
  otelDisabled: { env: 'OTEL_SDK_DISABLED', value: choice('true', 'false'), default: 'false', about: '`true`: no spans, whatever the endpoint.' },
  otelServiceName: { env: 'OTEL_SERVICE_NAME', value: text('a string'), default: '', about: '`service.name` of the spans; unset: that of OTEL_RESOURCE_ATTRIBUTES, or `hubbub`.' },
  otelSampler: { env: 'OTEL_TRACES_SAMPLER', value: choice('always_on', 'always_off', 'traceidratio', 'parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'), default: 'parentbased_always_on', about: 'Which events have spans. `parentbased_`: as the event\'s `traceparent` says, and the rest of it where there is none.' },
  otelSamplerArg: { env: 'OTEL_TRACES_SAMPLER_ARG', value: text('a number from 0 to 1', /^(0(\.\d+)?|1(\.0+)?|\.\d+)$/), default: '', about: 'Share of the events for `traceidratio`; unset: 1.' },
  otelQueue: { env: 'OTEL_BSP_MAX_QUEUE_SIZE', value: integer(1, 1_000_000), default: '2048', unit: 'spans', about: 'Spans a process holds until they are taken; more are lost.' },
  maxTaps: { env: 'HUBBUB_TAPS', value: integer(0, 1000), default: '10', unit: 'taps', about: 'Debug taps of a project that are on at once; 0: none may be.' },
  tapLines: { env: 'HUBBUB_TAP_LINES', value: integer(1, 100_000), default: '200', unit: 'lines/s', about: 'Lines of debug taps a process; what is left out is counted in a line.' },
  tapPollMs: { env: 'HUBBUB_TAP_POLL_MS', value: integer(100, 60_000), default: '2000', unit: 'ms', about: 'How often a process looks for debug taps that another one switched on or off.' },

  auth: { env: 'HUBBUB_AUTH', value: choice('required', 'none'), default: 'required', about: '`none` lets everybody in as admin; allowed on loopback only.' },
  jwtSecret: { env: 'HUBBUB_JWT_SECRET', value: text('at least 32 characters', /^.{32,}$/s), default: '', about: 'HS256 secret. Unset with the in-memory store: a random one.' },
  jwtPublicKeyFile: { env: 'HUBBUB_JWT_PUBLIC_KEY_FILE', value: text('path of a PEM file'), default: '', about: 'RS256 or ES256 public key, instead of the secret.' },
  jwksFile: { env: 'HUBBUB_JWKS_FILE', value: text('path of a JWKS file'), default: '', about: 'RS256 and ES256 keys by `kid`, instead of the secret.' },
  jwtIssuer: { env: 'HUBBUB_JWT_ISSUER', value: text('a string'), default: '', about: 'Required `iss` of tokens; unset: any.' },
  jwtAudience: { env: 'HUBBUB_JWT_AUDIENCE', value: text('a string'), default: '', about: 'Required `aud` of tokens; unset: any.' },
  corsOrigins: { env: 'HUBBUB_CORS_ORIGINS', value: text('comma-separated origins, or *'), default: '', about: 'Origins whose pages may use the hub; unset: the hub\'s own only.' },
  githubSecret: { env: 'HUBBUB_GITHUB_SECRET', value: text('secrets, comma-separated; PROJECT=SECRET for one project'), default: '', about: 'Webhook secrets; several of one project are all accepted (rotation).' },
  metricsAccess: { env: 'HUBBUB_METRICS', value: choice('open', 'admin'), default: 'open', about: 'Who may read /metrics, whose totals are of all projects: everybody who reaches the port, or an admin of all projects.' },
  rawStreams: { env: 'HUBBUB_RAW_STREAMS', value: text('comma-separated of agents, workflows, github, system; or none', /^(none|(agents|workflows|github|system)(,(agents|workflows|github|system))*)$/), default: 'workflows', about: 'Source streams open to raw writers: `identity` of entries there does not count.' },
  revocationPollMs: { env: 'HUBBUB_REVOCATION_POLL_MS', value: integer(100, 60_000), default: '2000', unit: 'ms', about: 'How often workers look for revoked keys and subjects.' },

  maxConnections: { env: 'HUBBUB_MAX_CONNECTIONS', value: integer(1), default: '20000', unit: 'connections', about: 'Connections a worker; more are refused with CONNECTION_LIMIT.' },
  connectRate: { env: 'HUBBUB_CONNECT_RATE', value: integer(0, 100_000), default: '300', unit: 'connections/s', about: 'New connections a worker, by whatever wire; more are refused with CONNECT_RATE before anything is done for them. 0: as many as come.' },
  connectBurst: { env: 'HUBBUB_CONNECT_BURST', value: integer(1, 1_000_000), default: '1000', unit: 'connections', about: 'New connections at once.' },
  addressConnections: { env: 'HUBBUB_CONNECTIONS_PER_ADDRESS', value: integer(0), default: '0', unit: 'connections', about: 'Connections a worker from one address; 0: any number, for a whole fleet may stand behind one.' },
  subjectConnections: { env: 'HUBBUB_CONNECTIONS_PER_SUBJECT', value: integer(0), default: '5000', unit: 'connections', about: 'Connections a worker of one subject of a project, so that none takes all of HUBBUB_MAX_CONNECTIONS; 0: any number.' },
  authFailures: { env: 'HUBBUB_AUTH_FAILURES', value: integer(0, 1_000_000), default: '60', unit: 'failures/min', about: 'Credentials that are none, an address. With more, credentials that this worker has not accepted before are refused from there with RATE_LIMITED, unseen; 0: any number.' },
  pendingSockets: { env: 'HUBBUB_PENDING_SOCKETS', value: integer(1), default: '1000', unit: 'sockets', about: 'Sockets whose first request has not come whole; with more the oldest is closed.' },
  trustProxy: { env: 'HUBBUB_TRUST_PROXY', value: text('none, a number of hops, or comma-separated addresses and networks such as 10.0.0.0/8', /^(none|[1-9]\d?|[0-9a-fA-F.:]+(\/\d{1,3})?(,[0-9a-fA-F.:]+(\/\d{1,3})?)*)$/), default: 'none', about: 'Balancers whose X-Forwarded-For, -Proto and -Host are believed: none, so many hops in a row, or these addresses. What counts by address counts behind a balancer that is not named here as one.' },
  maxSubscriptions: { env: 'HUBBUB_MAX_SUBSCRIPTIONS', value: integer(1, 10_000), default: '50', unit: 'subscriptions', about: 'Subscriptions a connection.' },
  maxTopics: { env: 'HUBBUB_MAX_TOPICS', value: integer(1, 1000), default: '50', unit: 'topics', about: 'Topics a subscription or history request.' },
  maxEventBytes: { env: 'HUBBUB_MAX_EVENT_BYTES', value: integer(1024), default: '65536', unit: 'bytes', about: 'JSON of one event.' },
  maxSnapshotBytes: { env: 'HUBBUB_MAX_SNAPSHOT_BYTES', value: integer(1024), default: '1048576', unit: 'bytes', about: 'JSON of one AG-UI snapshot event.' },
  maxBatchEvents: { env: 'HUBBUB_MAX_BATCH_EVENTS', value: integer(1, 10_000), default: '1000', unit: 'events', about: 'Events in one POST /api/v1/events.' },
  maxDepth: { env: 'HUBBUB_MAX_DEPTH', value: integer(4, 200), default: '32', unit: 'levels', about: 'Nesting of an event\'s data.' },
  bodyBytes: { env: 'HUBBUB_BODY_BYTES', value: integer(67_108_864), default: '134217728', unit: 'bytes', about: 'HTTP request bodies a worker holds at once; more are refused with UNAVAILABLE. One client holds as many as are free besides: alone half of them.' },
  messageRate: { env: 'HUBBUB_MESSAGE_RATE', value: integer(1), default: '100', unit: 'messages/s', about: 'Messages a client.' },
  messageBurst: { env: 'HUBBUB_MESSAGE_BURST', value: integer(1), default: '200', unit: 'messages', about: 'Messages a client may send at once.' },
  familyRates: { env: 'HUBBUB_FAMILY_RATES', value: text('FAMILY=EVENTS_PER_SECOND, comma-separated; * for the rest', /^[a-z*][a-z_]*=\d+(,[a-z*][a-z_]*=\d+)*$/), default: 'agui=2000,system=100,custom=500,*=1000', unit: 'events/s', about: 'Events a client by type family; the burst is twice the rate.' },
  projectRate: { env: 'HUBBUB_PROJECT_RATE', value: integer(0), default: '0', unit: 'events/s', about: 'Events a project that a worker takes, of all its clients together; the burst is twice the rate. 0: no limit.' },
  projectRates: { env: 'HUBBUB_PROJECT_RATES', value: text('PROJECT=EVENTS_PER_SECOND, comma-separated', /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}=\d{1,9}(,[A-Za-z0-9][A-Za-z0-9._-]{0,63}=\d{1,9})*$/), default: '', unit: 'events/s', about: 'The same for single projects, instead of HUBBUB_PROJECT_RATE; 0: no limit.' },
  publishTimeoutMs: { env: 'HUBBUB_PUBLISH_TIMEOUT_MS', value: integer(100, 300_000), default: '30000', unit: 'ms', about: 'A publish not answered by then fails with OUTCOME_UNKNOWN.' },
  publishQueue: { env: 'HUBBUB_PUBLISH_QUEUE', value: integer(100), default: '40000', unit: 'events', about: 'Publishes a worker holds while the store is away; more fail with UNAVAILABLE. One project holds as many as are free besides: alone half of them.' },
  ackLookupMs: { env: 'HUBBUB_ACK_LOOKUP_MS', value: integer(100, 60_000), default: '2000', unit: 'ms', about: 'A publish without its hint by then is looked up.' },

  leaseMs: { env: 'HUBBUB_LEASE_MS', value: integer(500, 120_000), default: '10000', unit: 'ms', about: 'A partition\'s lease; a dead processor\'s partitions move after it.' },
  leaseRenewMs: { env: 'HUBBUB_LEASE_RENEW_MS', value: integer(100, 60_000), default: '3000', unit: 'ms', about: 'How often leases are renewed.' },
  batchEvents: { env: 'HUBBUB_BATCH_EVENTS', value: integer(1, 5000), default: '500', unit: 'entries', about: 'Entries of one commit.' },
  batchBytes: { env: 'HUBBUB_BATCH_BYTES', value: integer(65_536), default: '1048576', unit: 'bytes', about: 'Bytes of one commit.' },
  seenMs: { env: 'HUBBUB_SEEN_MS', value: integer(1000), default: '600000', unit: 'ms', about: 'A repeated event is recognised for at least this long.' },
  seenCount: { env: 'HUBBUB_SEEN_COUNT', value: integer(1000), default: '500000', unit: 'events', about: 'Seen keys of one generation; overrules HUBBUB_SEEN_MS.' },
  deliveryMs: { env: 'HUBBUB_DELIVERY_MS', value: integer(1000), default: '691200000', unit: 'ms', about: 'A repeated GitHub delivery is recognised for this long (8 days).' },
  retentionMs: { env: 'HUBBUB_RETENTION_MS', value: integer(100), default: '900000', unit: 'ms', about: 'The journal keeps whatever is younger.' },
  retentionCount: { env: 'HUBBUB_RETENTION_COUNT', value: integer(10), default: '100000', unit: 'events', about: 'And whatever is among the last so many of its partition.' },
  retentionBytes: { env: 'HUBBUB_RETENTION_BYTES', value: integer(65_536), default: '536870912', unit: 'bytes', about: 'Overrules both, a partition.' },
  deadLetters: { env: 'HUBBUB_DEAD_LETTERS', value: integer(10), default: '10000', unit: 'entries', about: 'Dead letters a partition; the oldest go first.' },

  heartbeatMs: { env: 'HUBBUB_HEARTBEAT_MS', value: integer(50, 3_600_000), default: '30000', unit: 'ms', about: 'An agent beats this often.' },
  staleMs: { env: 'HUBBUB_STALE_MS', value: integer(50, 3_600_000), default: '90000', unit: 'ms', about: 'Silent for this long, an agent is stale: it gets no new tasks.' },
  offlineMs: { env: 'HUBBUB_OFFLINE_MS', value: integer(50, 3_600_000), default: '120000', unit: 'ms', about: 'Silent for this long, it is offline: its tasks go to others, its connection is closed.' },
  forgetMs: { env: 'HUBBUB_FORGET_MS', value: integer(50), default: '300000', unit: 'ms', about: 'Silent for this long, it is forgotten.' },
  stalledMs: { env: 'HUBBUB_STALLED_MS', value: integer(50), default: '600000', unit: 'ms', about: 'An agent that beats without a report on any of its tasks for this long is stalled.' },
  graceMs: { env: 'HUBBUB_GRACE_MS', value: integer(0, 600_000), default: '5000', unit: 'ms', about: 'A watcher that comes back within it has neither left nor joined.' },
  workerMs: { env: 'HUBBUB_WORKER_MS', value: integer(300, 600_000), default: '10000', unit: 'ms', about: 'A worker that says nothing for this long counts as dead, with whoever is connected to it; it beats at a third of it.' },
  presenceMs: { env: 'HUBBUB_PRESENCE_MS', value: integer(0, 60_000), default: '1000', unit: 'ms', about: 'Who came to watch a topic and who left is gathered for this long, then told in one `presence.changed`.' },
  presenceNames: { env: 'HUBBUB_PRESENCE_NAMES', value: integer(1, 10_000), default: '100', unit: 'subjects', about: 'That one `presence.changed` names as joined, and as left; the rest are counted.' },
  presenceWatchers: { env: 'HUBBUB_PRESENCE_WATCHERS', value: integer(1, 100_000), default: '1000', unit: 'watchers', about: 'That one answer to `presence` names; the rest are counted.' },
  acceptMs: { env: 'HUBBUB_ACCEPT_MS', value: integer(50, 3_600_000), default: '30000', unit: 'ms', about: 'A connected agent accepts a task within it, or another one gets it; an agent that is away has HUBBUB_OFFLINE_MS.' },
  taskLeaseMs: { env: 'HUBBUB_TASK_LEASE_MS', value: integer(50, 86_400_000), default: '120000', unit: 'ms', about: 'An accepted task whose agent neither beats nor reports for this long goes to another one.' },
  taskTries: { env: 'HUBBUB_TASK_TRIES', value: integer(1, 1000), default: '5', unit: 'delegations', about: 'A task that so many delegations did not finish fails.' },
  retryMs: { env: 'HUBBUB_RETRY_MS', value: integer(0, 3_600_000), default: '1000', unit: 'ms', about: 'Wait before the second delegation; doubled for each further one.' },
  retryMostMs: { env: 'HUBBUB_RETRY_MOST_MS', value: integer(0, 86_400_000), default: '60000', unit: 'ms', about: 'Longest wait between two delegations.' },
  cancelMs: { env: 'HUBBUB_CANCEL_MS', value: integer(50, 3_600_000), default: '10000', unit: 'ms', about: 'An agent confirms within it that it stopped; then the task counts as cancelled anyway.' },
  commandMs: { env: 'HUBBUB_COMMAND_MS', value: integer(100, 600_000), default: '30000', unit: 'ms', about: 'A command without a `timeoutMs` of its own has this long.' },
  broadcastMs: { env: 'HUBBUB_BROADCAST_MS', value: integer(50, 60_000), default: '1000', unit: 'ms', about: 'A broadcast waits this long for the other workers\' counts.' },
  finishedMs: { env: 'HUBBUB_FINISHED_MS', value: integer(100), default: '86400000', unit: 'ms', about: 'A finished task, pipeline, stream, checkpoint or run is forgotten after this long.' },
  idleMs: { env: 'HUBBUB_IDLE_MS', value: integer(100), default: '604800000', unit: 'ms', about: 'An unfinished one that the hub only observes is forgotten when nothing was heard of it for this long (7 days).' },
  finishedCount: { env: 'HUBBUB_FINISHED_COUNT', value: integer(1), default: '10000', unit: 'entities', about: 'And so many finished ones of each kind and project are kept at most.' },
  stateEntities: { env: 'HUBBUB_STATE_ENTITIES', value: integer(1000), default: '50000', unit: 'entities', about: 'Entities that a processor holds in memory of each partition, besides unfinished work.' },
  connectionEvents: { env: 'HUBBUB_CONNECTION_EVENTS', value: choice('agents', 'all', 'none'), default: 'agents', about: 'Whose connections are told as `connection.opened` and `connection.closed`.' },

  windowEvents: { env: 'HUBBUB_WINDOW_EVENTS', value: integer(100), default: '20000', unit: 'events', about: 'Recent entries a worker holds of each partition.' },
  windowBytes: { env: 'HUBBUB_WINDOW_BYTES', value: integer(65_536), default: '33554432', unit: 'bytes', about: 'And at most so many bytes.' },
  gatherMs: { env: 'HUBBUB_GATHER_MS', value: integer(0, 100), default: '5', unit: 'ms', about: 'Fast bursts are gathered for this long; 0 turns it off.' },
  slowBytes: { env: 'HUBBUB_SLOW_BYTES', value: integer(65_536), default: '1048576', unit: 'bytes', about: 'Waiting bytes at which a socket falls back to reading the journal.' },
  slowPackets: { env: 'HUBBUB_SLOW_PACKETS', value: integer(16), default: '256', unit: 'packets', about: 'Waiting packets at which it does.' },
  pageEvents: { env: 'HUBBUB_PAGE_EVENTS', value: integer(1, 10_000), default: '1000', unit: 'events', about: 'Events in one answer.' },
  pageBytes: { env: 'HUBBUB_PAGE_BYTES', value: integer(65_536), default: '1048576', unit: 'bytes', about: 'Bytes of events in one answer.' },
  traceEntries: { env: 'HUBBUB_TRACE_ENTRIES', value: integer(1000), default: '200000', unit: 'entries', about: 'Journal entries that one trace looks through for an event, its causes and what followed from it.' },
  traceMs: { env: 'HUBBUB_TRACE_MS', value: integer(50, 60_000), default: '2000', unit: 'ms', about: 'A trace waits this long for the other workers\' accounts.' },
  traceSessions: { env: 'HUBBUB_TRACE_SESSIONS', value: integer(0, 100_000), default: '1000', unit: 'sessions', about: 'Ended sessions of each partition that a worker remembers for traces.' },
  traceEpisodes: { env: 'HUBBUB_TRACE_EPISODES', value: integer(1, 1000), default: '32', unit: 'episodes', about: 'Of one session: ended subscriptions, times of being behind, gaps and answers of the past that are remembered for traces, each.' },
  bookmarkMs: { env: 'HUBBUB_BOOKMARK_MS', value: integer(100, 600_000), default: '60000', unit: 'ms', about: 'A quiet connection gets `hub.cursor` at least this often (and each tenth of the retention).' },
  requestMs: { env: 'HUBBUB_REQUEST_MS', value: integer(100, 600_000), default: '60000', unit: 'ms', about: 'An HTTP request that did not arrive whole by then is refused with 408; its head has HUBBUB_CONNECT_TIMEOUT_MS. A WebSocket message that was begun and not finished by then ends its connection.' },
  wsPath: { env: 'HUBBUB_WS_PATH', value: text('a path such as /ws, or none', /^(none|(\/[A-Za-z0-9._~-]+)+)$/), default: '/ws', about: 'Where plain WebSockets begin; `none`: the hub has none. In your own server choose a path that is not yours.' },
  wsPingMs: { env: 'HUBBUB_WS_PING_MS', value: integer(50, 300_000), default: '30000', unit: 'ms', about: 'Plain WebSockets are pinged this often.' },
  wsSilenceMs: { env: 'HUBBUB_WS_SILENCE_MS', value: integer(100, 3_600_000), default: '90000', unit: 'ms', about: 'A plain WebSocket from which nothing is heard for so long is closed.' },
  wsQueue: { env: 'HUBBUB_WS_QUEUE', value: integer(1, 100_000), default: '100', unit: 'events', about: 'On `/ws/tasks/:taskId`: what a client missed that comes back with its id, at most.' },
  compressBytes: { env: 'HUBBUB_COMPRESS_BYTES', value: integer(256), default: '1024', unit: 'bytes', about: 'Events larger than this go compressed to clients that said they take it.' },
  maxSinks: { env: 'HUBBUB_MAX_SINKS', value: integer(0, 1000), default: '50', unit: 'sinks', about: 'Outgoing webhooks a project.' },
  sinkPrivate: { env: 'HUBBUB_SINK_PRIVATE', value: text('refuse, allow, or comma-separated networks such as 10.1.0.0/16', /^(refuse|allow|[0-9a-fA-F.:]+\/\d{1,3}(,[0-9a-fA-F.:]+\/\d{1,3})*)$/), default: 'refuse', about: 'Whether outgoing webhooks may go to private, loopback, link-local and other special addresses: never, always, or to these networks.' },
  sinkHttp: { env: 'HUBBUB_SINK_HTTP', value: choice('refuse', 'allow'), default: 'refuse', about: 'Whether outgoing webhooks may have http:// URLs, besides https://.' },
  sinkPorts: { env: 'HUBBUB_SINK_PORTS', value: text('comma-separated ports, or *', /^(\*|\d{1,5}(,\d{1,5})*)$/), default: '*', about: 'Ports to which outgoing webhooks may go.' },
  sinkTimeoutMs: { env: 'HUBBUB_SINK_TIMEOUT_MS', value: integer(50, 300_000), default: '10000', unit: 'ms', about: 'A webhook\'s receiver answers within it, or the attempt failed.' },
  sinkTries: { env: 'HUBBUB_SINK_TRIES', value: integer(1, 100_000), default: '100', unit: 'attempts', about: 'A sink that did not take an event after so many attempts is paused.' },
  sinkGiveUpMs: { env: 'HUBBUB_SINK_GIVE_UP_MS', value: integer(100), default: '3600000', unit: 'ms', about: 'And so is one that refuses an event for this long.' },
  sinkRetryMs: { env: 'HUBBUB_SINK_RETRY_MS', value: integer(1, 3_600_000), default: '1000', unit: 'ms', about: 'Wait before the second attempt; doubled for each further one, less up to a half by chance.' },
  sinkRetryMostMs: { env: 'HUBBUB_SINK_RETRY_MOST_MS', value: integer(1, 3_600_000), default: '60000', unit: 'ms', about: 'Longest wait between two attempts, unless the receiver asks for more (Retry-After).' },
  sseHeartbeatMs: { env: 'HUBBUB_SSE_HEARTBEAT_MS', value: integer(50, 300_000), default: '15000', unit: 'ms', about: 'A stream of server-sent events gets a comment this often; one that took nothing for four of them is closed.' },
  aguiReplayEvents: { env: 'HUBBUB_AGUI_REPLAY_EVENTS', value: integer(0, 1_000_000), default: '10000', unit: 'events', about: 'A run of more events than this is joined by a snapshot, unless all of it is asked for.' },
  aguiSnapshotBytes: { env: 'HUBBUB_AGUI_SNAPSHOT_BYTES', value: integer(1024, 268_435_456), default: '16777216', unit: 'bytes', about: 'What a run\'s snapshots may come to; of a larger one only its events are told.' },
  pingIntervalMs: { env: 'HUBBUB_PING_INTERVAL_MS', value: integer(100, 300_000), default: '25000', unit: 'ms', about: 'Socket.IO ping interval.' },
  pingTimeoutMs: { env: 'HUBBUB_PING_TIMEOUT_MS', value: integer(100, 300_000), default: '20000', unit: 'ms', about: 'Socket.IO ping timeout.' },
  connectTimeoutMs: { env: 'HUBBUB_CONNECT_TIMEOUT_MS', value: integer(100, 300_000), default: '10000', unit: 'ms', about: 'A connection that joined no namespace by then is closed.' },
  vitalsMs: { env: 'HUBBUB_VITALS_MS', value: integer(100, 60_000), default: '2000', unit: 'ms', about: 'A process says this often how it is; at least three times in HUBBUB_WORKER_MS.' },
  systemProject: { env: 'HUBBUB_SYSTEM_PROJECT', value: text('a project, or none', /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/), default: 'default', about: 'Where the hub\'s own `system.alert` and `system.notification` go; `none`: nowhere.' },
  alertLag: { env: 'HUBBUB_ALERT_LAG', value: integer(0), default: '10000', unit: 'entries', about: 'A partition whose processor is further behind is an alert; 0: never.' },
  alertDeadMs: { env: 'HUBBUB_ALERT_DEAD_MS', value: integer(100, 86_400_000), default: '60000', unit: 'ms', about: 'New dead letters are an alert, at most this often.' },
  alertMemory: { env: 'HUBBUB_ALERT_MEMORY', value: integer(0, 100), default: '90', unit: '%', about: 'Redis using more of its `maxmemory` is an alert; 0: never.' },
  alertRefusals: { env: 'HUBBUB_ALERT_REFUSALS', value: integer(0), default: '100', unit: 'refusals/s', about: 'More refused requests and events, over ten seconds, are an alert; 0: never.' },
  alertSlow: { env: 'HUBBUB_ALERT_SLOW', value: integer(0), default: '100', unit: 'times', about: 'Sockets falling back to the journal because they were slow, more often within a minute, are an alert; 0: never.' },
  dashboard: { env: 'HUBBUB_DASHBOARD', value: choice('on', 'off'), default: 'on', about: 'Whether the hub serves its dashboard at `/`.' },
  hstsSeconds: { env: 'HUBBUB_HSTS_SECONDS', value: integer(0), default: '0', unit: 's', about: '`Strict-Transport-Security` of every answer, where a proxy in front of the hub speaks TLS; 0: none.' },
  drainMs: { env: 'HUBBUB_DRAIN_MS', value: integer(0, 300_000), default: '25000', unit: 'ms', about: 'Time for an orderly stop after SIGTERM; a process without connections needs none of it. On Kubernetes less than `terminationGracePeriodSeconds`.' },
  drainNoticeMs: { env: 'HUBBUB_DRAIN_NOTICE_MS', value: integer(0, 120_000), default: '0', unit: 'ms', about: 'Of it: so long new connections are still taken after `/health/ready` began to fail; the time that the balancer needs to notice.' },
  drainSpreadMs: { env: 'HUBBUB_DRAIN_SPREAD_MS', value: integer(0, 300_000), default: '0', unit: 'ms', about: 'Of it: over so long the connections of a stopping worker are closed, at most; 0: three fifths of what the notice leaves. Few take less: half of HUBBUB_CONNECT_RATE a second.' },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS

type ValueOf<S extends Setting> = S['value'] extends { kind: 'integer' } ? number : string

/** Settings after reading: integers as numbers, everything else as text (empty: unset). */
export type Settings = { -readonly [K in SettingName]: ValueOf<(typeof SETTINGS)[K]> }
