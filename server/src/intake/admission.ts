/** One input's way from what a producer sent to an entry that may be appended, or the failure that answers it (I5). */
import { randomUUID } from 'node:crypto'
import { HubError, type NormalEvent } from '@hubbub/protocol'
import { normalise } from '@hubbub/protocol/catalogue'
import { entryIdentity, type Identity } from '../access/identity.js'
import { SettingError } from '../settings/read.js'
import type { Passage, Witness } from '../observe/witness.js'
import type { Settings } from '../settings/table.js'
import { SOURCES, type EntryIdentity, type SourceAppend, type SourceName } from '../store/port.js'
import { seenKey } from '../store/seen.js'
import { createProjectRates } from './project-rates.js'
import { createFamilyRates } from './rates.js'
import { requireOwnVoice, signed } from './speaker.js'

export interface Admitted {
  id: string
  /** Canonical. */
  type: string
  /** `seenKey` of the event. */
  key: string
  append: SourceAppend
  /** Of the append's JSON. */
  bytes: number
  /** Somebody watches it. */
  passage?: Passage
}

export interface AdmissionOptions {
  settings: Settings
  witness?: Witness
  may: (identity: Identity, action: 'publish', type: string) => boolean
}

export interface Admission {
  /** Throws `HubError`. */
  admit(identity: Identity, input: unknown, client: string, stream?: SourceName): Admitted
  /** What the hub itself says on somebody's behalf, after the operation was granted. */
  admitOwn(identity: Identity, input: unknown): Admitted
  /** A webhook's event: already authenticated by its signature, and published by the hub in the producer's name. */
  admitDelivery(identity: EntryIdentity, input: unknown): Admitted
  forget(client: string): void
}

export function createAdmission({ settings, may, witness }: AdmissionOptions): Admission {
  const rates = createFamilyRates(settings.familyRates)
  const projects = createProjectRates(settings)
  const streamOf = createStreamChoice(settings.rawStreams)

  return {
    admit(identity, input, client, stream) {
      rates.take(client, input)
      const event = normalise(signed(identity, input), settings)
      const needed = `publish:${event.type}`
      if (!may(identity, 'publish', event.type)) {
        throw new HubError('INSUFFICIENT_PERMISSIONS', `The identity may not publish ${event.type}.`, { needed })
      }
      if (event.project !== undefined && event.project !== identity.project) throw new HubError('WRONG_PROJECT')
      requireOwnVoice(identity, event)
      // Last: whoever may not publish here, or sends what is none, uses up nothing of what the project's own have.
      // A beat pays, and passes: a flood in its project must not make a living agent look dead.
      if (event.type === 'agent.heartbeat') projects.charge(identity.project)
      else projects.take(identity.project)
      return admitted(event, entryIdentity(identity), streamOf(stream ?? preferredStream(identity)), witness)
    },
    admitOwn(identity, input) {
      projects.charge(identity.project)
      return admitted(normalise(input, settings, 'hub'), { ...entryIdentity(identity), hub: true }, streamOf('system'), witness)
    },
    admitDelivery(identity, input) {
      projects.charge(identity.project)
      return admitted(normalise(input, settings), identity, streamOf('github'), witness)
    },
    forget: (client) => rates.forget(client),
  }
}

function admitted(event: NormalEvent, identity: EntryIdentity, stream: SourceName, witness: Witness | undefined): Admitted {
  const id = event.id ?? randomUUID()
  // Before it is written down: it may get a traceparent.
  const passage = witness?.isOn ? witness.admitted(event, id, identity) : undefined
  const json = JSON.stringify({ ...event, id, timestamp: event.timestamp ?? Date.now() })
  const append: SourceAppend = { stream, event: json, identity }
  return { id, type: event.type, key: seenKey(identity.project, identity.source, id), append, bytes: Buffer.byteLength(json), ...(passage && { passage }) }
}

/** One producer always writes to one stream: order is a stream's (I1). */
function preferredStream(identity: Identity): SourceName {
  return identity.role === 'agent' ? 'agents' : identity.role === 'service' ? 'workflows' : 'system'
}

/**
 * On a stream open to raw writers an identity does not count, so nothing that we vouch for may go there. Throws
 * `SettingError` when no stream is left.
 */
function createStreamChoice(rawStreams: string): (wanted: SourceName) => SourceName {
  const raw = new Set(rawStreams.split(','))
  const fallback = (['system', 'agents', 'workflows', 'github'] as const).find((stream) => !raw.has(stream))
  if (!fallback) throw new SettingError(`HUBBUB_RAW_STREAMS: '${rawStreams}' is not allowed; allowed: at most three of ${SOURCES.join(', ')}`)
  return (wanted) => (raw.has(wanted) ? fallback : wanted)
}
