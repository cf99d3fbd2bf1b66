/**
 * How this process takes part in knowing how the hub is: its pulse, its turn at the watch, the desk at which operators ask, and the few
 * words that it says of itself: that it came to a hub that was there already, that it stops in order, that the store is away.
 */
import type { Signal } from '@hubbub/protocol'
import type { Logger } from '../../observe/log.js'
import { Meter, type MeterDeps } from '../../observe/vitals.js'
import type { Settings } from '../../settings/table.js'
import { topicKey, type Store } from '../../store/port.js'
import { OverviewDesk } from '../overview.js'
import { isoOf } from '../overview-assembly.js'
import { Pulse, type Beat } from './pulse.js'
import { HUB_SOURCE, NOWHERE, Voice, type VoiceDeps } from './voice.js'
import { Watch } from './watch.js'

export interface StationDeps extends MeterDeps {
  /** Of the process, unique for its life. */
  id: string
  store: Store
  intake: VoiceDeps['intake']
  settings: Settings
  log: Logger
  /** To whoever is connected to this very process, without the store. */
  signalHere: (rooms: string[], signal: Signal) => void
}

export interface Station {
  readonly desk: OverviewDesk
  /** From now on the others know of this process. */
  start(): void
  /** They know that it stops. */
  drain(): void
  /** Tells that it stopped in order, at most for so long, and is listed no more. */
  close(graceMs: number): Promise<void>
}

export function openStation(deps: StationDeps): Station {
  const { id, store, settings } = deps
  const log = deps.log.child({ part: 'watch' })
  const voice = new Voice({ intake: deps.intake, settings, log })
  const watch = new Watch({ id, vitals: store.vitals, voice, partitions: store.partitions, settings, log })
  let met = false
  const onBeat = (beat: Beat) => {
    if (beat.returned) log.warn({ ms: beat.returned.until - beat.returned.since }, 'the store is back')
    if (!met) void tellCome(deps, voice).catch((error: unknown) => log.debug({ err: error }, 'that this process came was not told'))
    met = true
    watch.beat(beat)
  }
  const pulse = new Pulse({ id, vitals: store.vitals, meter: new Meter(deps), settings, log, onBeat, onAway: (since) => tellAway(deps, log, since) })
  return {
    desk: new OverviewDesk({ store, own: () => pulse.latest && { id, record: pulse.latest }, settings, log }),
    start: () => pulse.start(),
    drain: () => pulse.drain(),
    async close(graceMs) {
      // With nobody else up there is nobody to tell.
      if (pulse.others > 0) await within(graceMs, tellStopped(deps, voice))
      await within(graceMs, watch.close())
      await within(graceMs, pulse.close())
    },
  }
}

/** Not at the start of a whole hub: only to somebody who was there a while ago. */
async function tellCome({ id, store, settings, process: { node, role, version } }: StationDeps, voice: Voice): Promise<void> {
  const { now, reports } = await store.vitals.all()
  const elder = reports.some((other) => other.id !== id && other.firstAt <= now - settings.workerMs && other.at > now - settings.workerMs)
  if (!elder) return
  await voice.tell(`notice:process-started:${id}`, 'system.notification', {
    level: 'info', title: 'Process started', component: `${role}:${id}`, message: `The ${role === 'all' ? 'process' : role} ${node} came (version ${version}).`,
  })
}

async function tellStopped({ id, process: { node, role } }: StationDeps, voice: Voice): Promise<void> {
  await voice.tell(`notice:process-stopped:${id}`, 'system.notification', {
    level: 'info', title: 'Process stopped', component: `${role}:${id}`, message: `The ${role === 'all' ? 'process' : role} ${node} stopped in order.`,
  })
}

/** The journal is in the store: until it is back, this is what clients can be told. Those of other processes hear it of theirs. */
function tellAway({ settings, signalHere }: StationDeps, log: Logger, since: number): void {
  const message = 'Redis is out of reach: connections stand, and what is published waits.'
  const data = { alert: 'store-unreachable', status: 'firing', severity: 'critical', component: 'store', message, since: isoOf(since) }
  log.error({ alert: data.alert, since: data.since }, message)
  if (settings.systemProject === NOWHERE) return
  const rooms = ['system', '*'].map((topic) => topicKey(settings.systemProject, topic))
  signalHere(rooms, { topic: 'system', name: 'system.alert', data, source: HUB_SOURCE, timestamp: Date.now() })
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
