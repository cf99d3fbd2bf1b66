/**
 * READ ME FIRST. An event's way through the hub, wired in the order in which it travels:
 *
 *   gateway --> intake --> source stream --> processor --> journal --> fan-out --> gateway
 *
 *   gateways      http/, github/, socketio/, process   translate their wire into operations, and events into their wire
 *   operations    publish, subscribe, signal, history   once, under every gateway
 *   intake        validate, authorise, limit, append    answered when the commit stands (I4)
 *   store         source streams, ledger, journal       Redis, or this process's memory
 *   processor     dedupe, route, one commit a batch     exactly once (I3), whatever is killed when
 *   fan-out       one tail a partition, audiences       in order (I1), without a gap (I2), at each socket's pace (I7)
 *
 * Each stage gets the next one from here; none imports another.
 */
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import { hostname } from 'node:os'
import type { ProcessVitals, Signal } from '@hubbub/protocol'
import { createAuthenticator, type Authenticator } from './access/authenticator.js'
import type { Identity } from './access/identity.js'
import { may } from './access/permissions.js'
import { createBuckets } from './access/rate.js'
import { Compression } from './fanout/compression.js'
import { Fanout } from './fanout/fanout.js'
import { Drainage } from './gateway/drainage.js'
import { openFront, type Front } from './gateway/front.js'
import { Gatekeeper } from './gateway/gatekeeper.js'
import { Guests } from './gateway/guests.js'
import { createHttpGateway, createProcessorHttp } from './gateway/http/gateway.js'
import { Streams } from './gateway/http/streams.js'
import { atMost } from './gateway/patience.js'
import { createSocketGateway } from './gateway/socketio/gateway.js'
import { Recovery } from './gateway/socketio/recovery.js'
import { Repeats } from './gateway/socketio/repeats.js'
import { openSinks } from './gateway/sinks/open.js'
import { vitals } from './gateway/vitals.js'
import { createWebSocketGateway } from './gateway/websocket/gateway.js'
import { createIntake, type Intake } from './intake/intake.js'
import { Census } from './observe/census.js'
import { silent, type Logger } from './observe/log.js'
import { createMetrics, type Metrics } from './observe/metrics.js'
import type { Witness } from './observe/witness.js'
import { openStation, type Station, type StationDeps } from './operations/alerts/open.js'
import { Attendance } from './operations/attendance.js'
import { Inbox } from './operations/inbox.js'
import { createOperations, type Operations } from './operations/operations.js'
import { Presence } from './operations/presence.js'
import { Recorder } from './operations/recorder.js'
import { Roll } from './operations/roll.js'
import { openWatching } from './operations/taps-open.js'
import type { TapDesk } from './operations/taps.js'
import { createProcessor, type Processor } from './processor/processor.js'
import type { OverviewDesk } from './operations/overview.js'
import type { SinkDesk } from './operations/sinks.js'
import type { Settings } from './settings/table.js'
import { openStore, storeOptions } from './store/open.js'
import type { Store } from './store/port.js'
import { VERSION } from './version.js'

export interface HubOptions {
  settings: Settings
  log?: Logger
  /** A server that somebody else listens with; the hub then answers its own paths there. */
  server?: Server
  /** Ids for new connections of Socket.IO's wire, where others must see by them whose they are; unset: random ones. */
  sessionId?: () => string
  onConnect?: (client: { id: string; subject: string; project: string }) => void
  onDisconnect?: (client: { id: string; subject: string; project: string; reason: string }) => void
}

export interface RunningHub {
  /** `http://host:port` */
  readonly url: string
  readonly operations: Operations
  readonly metrics: Metrics
  /** Orderly: no new connections, sockets sent elsewhere, leases handed over, store closed. */
  close(): Promise<void>
}

/** What one part may take to stop, once its connections are gone; ms. */
const STEP_MS = 1500
/** A session's record outlives its connection by this much at least; ms. */
const LEAST_SESSION_MS = 120_000

export async function startHub(options: HubOptions): Promise<RunningHub> {
  const { settings, log = silent } = options
  const node = settings.nodeId || `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`
  const metrics = createMetrics({ processMetrics: true })
  metrics.info.set({ version: VERSION, role: settings.role, node }, 1)
  const store = await openStore({ ...storeOptions(settings), onError: reportTo(metrics, log), onReconnect: () => metrics.storeReconnects.inc() })

  // Spans and debug taps: told by every stage, when somebody watches.
  const { witness, ...watching } = await openWatching({ roster: store.roster, node, settings, metrics, log })

  // Who may speak.
  const authenticator = createAuthenticator({ settings, store, log })
  await authenticator.start()

  // In: a producer's event, from any gateway, to its source stream; answered when the processor committed it.
  const intake = await createIntake({ store, settings, metrics, witness, log, worker: node, may })

  // Through: source streams to the journal.
  const processor = settings.role === 'worker' ? undefined : createProcessor({ store, settings, metrics, witness, log, id: node })
  await processor?.start()

  // Out: the journal to whoever is subscribed here.
  const fanout = new Fanout({ journal: store, partitions: store.partitions, settings, metrics, witness, log })
  const sessionTtlMs = Math.max(settings.retentionMs, LEAST_SESSION_MS)
  const recorder = new Recorder(store.sessions, store.partitions, sessionTtlMs, log)
  const recovery = new Recovery({ sessions: store.sessions, journal: store, partitions: store.partitions, ttlMs: sessionTtlMs })

  const inbox = new Inbox({ mailbox: store.mailbox, journal: store, partitions: store.partitions, retentionMs: settings.retentionMs, log })
  const attendance = new Attendance({ announcer: intake, settings, log })

  // Who else is up, and who is connected where. Not by a given name alone: after a restart it would hold what its predecessor held.
  const roll = new Roll(settings.nodeId ? `${node}-${randomBytes(4).toString('hex')}` : node, { roster: store.roster, settings, log })
  const presence = new Presence({ roster: store.roster, roll, partitions: store.partitions, settings, log })
  if (settings.role !== 'processor') await roll.start()
  const census = new Census({ store, metrics, workers: () => (settings.role === 'processor' ? undefined : roll.alive().length) })
  census.start()

  // Once, under every gateway; then the gateways.
  const operations = createOperations({ metrics, publisher: intake, fanout, journal: store, settings, recorder, inbox, state: store.state, presence, roll, roster: store.roster, partitions: store.partitions, provenance: store.provenance, letters: store.dead, sessions: store.sessions, log })
  const sinks = settings.role === 'processor' ? undefined : openSinks({ store, fanout, inbox, operations, roll, authenticator, announcer: intake, settings, metrics, log })
  // How the hub is: each process says it of itself, one of them looks after all.
  const station = stationOf({ id: roll.worker, store, intake, settings, log, metrics }, node, () => ({ processor, fanout, gateways }))

  const close = async (gateways?: Gateways) => {
    const mostMs = Math.min(settings.drainMs / 5, STEP_MS)
    const patiently = patience(mostMs, log)
    station.drain()
    // Whoever goes on may have the partitions and the sinks now, while the connections go one by one. The only processor keeps the partitions: who is still connected here publishes.
    const givenBack = processor?.hasOthers() ? patiently('processor', processor.stop()) : undefined
    const delivered = patiently('sinks', sinks?.close(mostMs))
    await gateways?.close()
    await delivered
    // Before the way in is closed: who was connected here no longer is. With no processor left nobody answers; the rest needs its time, too.
    await Promise.all([attendance.close(mostMs), patiently('station', station.close(mostMs / 2))])
    census.close()
    operations.executors.close()
    operations.peers.close()
    await patiently('intake', intake.close())
    await (givenBack ?? patiently('processor', processor?.stop()))
    recorder.close()
    await Promise.all([patiently('inbox', inbox.close()), patiently('fan-out', fanout.shutdown()), patiently('presence', presence.close())])
    authenticator.close()
    await Promise.all([patiently('roll', roll.close()), patiently('watching', watching.close(mostMs))])
    await patiently('store', store.close())
    log.info('hub is down')
  }

  const gateways = await orUndo(() => close(), openGateways({ options, node, log, metrics, witness, taps: watching.taps, store, authenticator, intake, recorder, recovery, attendance, operations, sinks: sinks?.desk, overview: station.desk }))
  station.start()
  log.info({ url: gateways.url(), role: settings.role, store: store.kind }, 'hub is up')
  let closing: Promise<void> | undefined
  return {
    get url() {
      return gateways.url()
    },
    operations,
    metrics,
    close: () => (closing ??= close(gateways)),
  }
}

/** A store that does not answer must not keep the process: whatever is waited for has its share, and leases and records end by themselves. */
function patience(mostMs: number, log: Logger) {
  return async (step: string, work: Promise<unknown> | undefined): Promise<void> => {
    const done = work && (await atMost(mostMs, work).catch((error: unknown) => log.warn({ err: error, step }, 'a part did not stop in order')))
    if (done === false) log.warn({ step, ms: mostMs }, 'a part is not waited for any longer')
  }
}

type StationParts = Pick<StationDeps, 'id' | 'store' | 'intake' | 'settings' | 'log' | 'metrics'>

function stationOf(parts: StationParts, node: string, running: () => { processor?: Processor; fanout: Fanout; gateways: Gateways }): Station {
  return openStation({
    ...parts,
    process: { node, role: parts.settings.role as ProcessVitals['role'], version: VERSION, startedAt: Date.now() },
    partitions: () => running().processor?.owned() ?? [],
    connections: () => ({ active: running().gateways.active(), ...running().fanout.count() }),
    signalHere: (rooms, signal) => running().gateways.signalHere(rooms, signal),
  })
}

interface GatewayParts {
  options: HubOptions
  node: string
  log: Logger
  metrics: Metrics
  witness: Witness
  taps: TapDesk
  store: Store
  authenticator: Authenticator
  intake: Intake
  recorder: Recorder
  recovery: Recovery
  attendance: Attendance
  operations: Operations
  sinks?: SinkDesk
  overview: OverviewDesk
}

interface Gateways {
  url(): string
  /** Connections with at least one subscription. */
  active(): number
  /** To those in the rooms who are connected to this process. */
  signalHere(rooms: string[], signal: Signal): void
  close(): Promise<void>
}

/** A processor has health and metrics only; a worker has every gateway, all on one port. */
async function openGateways(parts: GatewayParts): Promise<Gateways> {
  const { options, node, metrics, store, authenticator } = parts
  const { settings } = options
  const startedAt = Date.now()
  const drainage = new Drainage(settings)
  const status = () => ({ version: VERSION, role: settings.role, node, startedAt })
  const guests = new Guests(authenticator)
  const connections = (): number => (sockets?.engine.clientsCount ?? 0) + (websockets?.size ?? 0) + (streams?.size ?? 0)
  const gate = new Gatekeeper({ settings, authenticator, log: parts.log, drainage, connections })
  const shared = {
    ...parts, ...options, log: parts.log, guests, gate, partitions: store.partitions, compression: new Compression(settings.compressBytes, metrics),
    buckets: createBuckets(settings.messageRate, settings.messageBurst), vitals: (identity: Identity) => vitals({ store, status }, identity),
  }
  const sockets = settings.role === 'processor' ? undefined : await createSocketGateway(shared)
  if (sockets && options.sessionId) sockets.engine.generateId = options.sessionId
  const websockets = sockets && createWebSocketGateway({ ...shared, broadcast: sockets.broadcast })
  const streams = sockets && new Streams({ ...parts, ...options, gate, drainage, others: () => sockets.engine.clientsCount + (websockets?.size ?? 0) })
  const http = {
    ...parts,
    settings,
    status,
    gate,
    connections: streams && ((project?: string) => streams.countWith(guests.count(project), project)),
    unready: () => (drainage.stage === 'open' ? [] : ['draining']),
    over: drainage.over,
  }
  const app = sockets && streams ? createHttpGateway({ ...http, broadcast: sockets.broadcast, streams }) : createProcessorHttp(http)
  const shut = async (front?: Front) => {
    await Promise.all([websockets?.close(), streams?.close()])
    await sockets?.close()
    await front?.close()
    guests.close()
  }
  const front = await orUndo(shut, openFront({ app, engine: sockets?.engine, repeats: sockets && new Repeats(sockets.engine), websockets, gate, settings, metrics, drainage }, options.server))
  return {
    url: () => front.url(),
    active: () => http.connections?.().active ?? 0,
    signalHere(rooms, signal) {
      sockets?.io.local.to(rooms).emit('signal', signal)
      guests.deliver(rooms, signal)
    },
    async close() {
      await drainage.run(() => [...guests, ...(streams ?? [])])
      await shut(front)
    },
  }
}

/** The port is taken, most likely: whoever embeds us goes on, and nothing of a hub that never was may work on in there. */
async function orUndo<T>(undo: () => Promise<void>, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    await undo()
    throw error
  }
}

/** Faults of the store that no caller waits for. */
function reportTo(metrics: Metrics, log: Logger): (operation: string, error: unknown) => void {
  return (operation, error) => {
    metrics.storeErrors.inc({ operation })
    log.warn({ err: error, operation }, 'store')
  }
}
