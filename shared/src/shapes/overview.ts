/** `GET /api/v1/overview`, as a schema; `overview.ts` has the same for TypeScript. */
import { Type } from 'typebox'
import { Count, maybe, Quantity, Text } from '../catalogue/scalars.js'
import type { ConnectionVitals, ErrorCount, Latencies, Overview, PartitionVitals, Percentiles, ProcessVitals, Rates, StandingAlert, StoreVitals } from '../overview.js'
import { about, named, shape } from './shape.js'

const Moment = Type.String({ format: 'date-time' })
const Ms = Type.Union([Type.Number({ minimum: 0 }), Type.Null()])
const percentiles = () => shape<Percentiles>({ p50: Ms, p95: Ms, p99: Ms })
const Connections = named('ConnectionVitals')
const EventRates = named('Rates')
const LatencyPercentiles = named('Latencies')

export const OVERVIEW_SHAPES = {
  Overview: shape<Overview>({
    at: Moment, processes: Type.Array(named('ProcessVitals')), partitions: Type.Array(named('PartitionVitals')), store: named('StoreVitals'),
    connections: Connections, rates: EventRates, latency: LatencyPercentiles, errors: Type.Array(named('ErrorCount')), deadLetters: Count,
    sinks: shape<Overview['sinks']>({ active: Count, paused: Count }), alerts: maybe(Type.Array(named('StandingAlert'))),
    knownAt: maybe(about(Moment, 'While the store is out of reach: when what is said of other processes, partitions, dead letters, sinks and alerts was so.')),
  }, 'How the whole hub is. Sums are of the processes that are not silent.'),
  ProcessVitals: shape<ProcessVitals>({
    id: Text, node: Text, role: Type.Enum(['all', 'worker', 'processor']), version: Text, startedAt: Moment, seenAt: about(Moment, 'By the store\'s clock.'), status: Type.Enum(['up', 'draining', 'silent']),
    partitions: Type.Array(Count), connections: Connections, rates: EventRates, latency: LatencyPercentiles, cpu: about(Quantity, 'Of one core; 1 is all of it.'), memoryBytes: Count, loopDelayMs: Quantity,
  }),
  PartitionVitals: shape<PartitionVitals>({ partition: Count, owner: Type.Union([Text, Type.Null()]), lag: about(Count, 'Source entries behind the committed positions.'), deadLetters: Count }),
  StoreVitals: shape<StoreVitals>({
    kind: Type.Enum(['memory', 'redis']), pingMs: Ms, version: maybe(Text), memoryBytes: maybe(Count), memoryLimitBytes: maybe(Count), clients: maybe(Count), operations: maybe(about(Count, 'Commands a second.')),
  }),
  ConnectionVitals: shape<ConnectionVitals>({
    open: Count, active: Count, byTransport: Type.Record(Type.String(), Count), subscriptions: Count, catchingUp: Count, slow: about(Count, 'Of the last minute.'),
  }),
  Rates: shape<Rates>({ accepted: Quantity, committed: Quantity, delivered: Quantity, refused: Quantity }, 'Events a second, over ten seconds.'),
  Latencies: shape<Latencies>({ commit: percentiles(), delivery: percentiles() }, 'ms, over the last minute.'),
  ErrorCount: shape<ErrorCount>({ code: Text, count: Count, lastAt: Moment }),
  StandingAlert: shape<StandingAlert>({
    alert: Text, severity: Type.Enum(['warning', 'critical']), message: Text, since: Moment, component: maybe(Text), value: maybe(Quantity), limit: maybe(Quantity), unit: maybe(Text),
  }),
}
