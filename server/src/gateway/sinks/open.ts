/** Outgoing webhooks of one worker: the desk at which they are ordered, and the dispatcher that delivers. */
import type { Authenticator } from '../../access/authenticator.js'
import { Destinations } from '../../operations/sinks-destination.js'
import { createSinkDesk, type SinkDesk, type SinkDeskDeps } from '../../operations/sinks.js'
import type { Operations } from '../../operations/operations.js'
import type { Store } from '../../store/port.js'
import { Dispatcher, type DispatcherDeps } from './dispatcher.js'

export interface SinkParts extends Pick<DispatcherDeps, 'roll' | 'announcer' | 'settings' | 'metrics' | 'log'>, Pick<SinkDeskDeps, 'fanout' | 'inbox'> {
  store: Store
  operations: Operations
  authenticator: Pick<Authenticator, 'isRevoked'>
}

export interface OpenSinks {
  readonly desk: SinkDesk
  /** Requests under way have so long to end, ms. */
  close(graceMs: number): Promise<void>
}

/** Throws SettingError. */
export function openSinks(parts: SinkParts): OpenSinks {
  const { store, operations, authenticator, settings, log } = parts
  const destinations = new Destinations(settings)
  const { sinks, partitions } = store
  const dispatcher = new Dispatcher({
    ...parts, log: log.child({ part: 'sinks' }), sinks, partitions, destinations, isRevoked: (identity) => authenticator.isRevoked(identity),
  })
  const desk = createSinkDesk({ ...parts, sinks, partitions, journal: store, destinations, history: (...asked) => operations.history(...asked), onChange: () => dispatcher.nudge() })
  dispatcher.start()
  return { desk, close: (graceMs) => dispatcher.close(graceMs) }
}
