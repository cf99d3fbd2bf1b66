/**
 * From a source entry, written by our gateways or raw by anybody, to an event of the journal. Nothing that an entry may hold
 * makes this throw: an entry that cannot be an event becomes a refusal, and those behind it go on (I5).
 */
import { HubError, isProject, offsetMillis, partitionOf, type HubEvent, type NormalEvent } from '@hubbub/protocol'
import { normalise, routeTopics } from '@hubbub/protocol/catalogue'
import type { Logger } from '../observe/log.js'
import type { Settings } from '../settings/table.js'
import type { EntryIdentity, SourceEntry, SourceName } from '../store/port.js'
import { seenKey } from '../store/seen.js'
import { accept, refuse, type Verdict } from './verdict.js'

export interface DecodeContext {
  partition: number
  partitions: number
  settings: Pick<Settings, 'rawStreams' | 'maxEventBytes' | 'maxSnapshotBytes' | 'maxDepth'>
  log: Logger
}

/** Identities repeat with every event of a producer; so many parsed ones are kept. */
const KEPT_IDENTITIES = 1000
const DEFAULT_PROJECT = 'default'

export function createDecoder(context: DecodeContext): (entry: SourceEntry) => Verdict {
  const { settings, log } = context
  const raw = new Set(settings.rawStreams.split(','))
  const identityOf = createIdentityReader(raw)
  const isHere = createPlaceCheck(context)

  return (entry) => {
    let identity: EntryIdentity | undefined
    let input: Record<string, unknown> | undefined
    try {
      identity = identityOf(entry)
      input = readEvent(entry.fields.event, settings.maxSnapshotBytes)
      // Whoever may write to `system` is the hub or its operator.
      const event = normalise(input, settings, entry.stream === 'system' || identity?.hub ? 'hub' : 'anyone')
      const project = identity?.project ?? event.project ?? DEFAULT_PROJECT
      if (event.project !== undefined && event.project !== project) throw new HubError('WRONG_PROJECT', `The producer speaks for project ${project}.`)
      if (!isHere(project)) throw new HubError('WRONG_PARTITION', `Project ${project} is of another partition than ${context.partition}.`)
      const source = sourceOf(entry, identity)
      const id = event.id ?? `${entry.stream}:${entry.id}`
      // On a raw stream anybody could name a worker that never asked.
      return accept(entry, seenKey(project, source, id), envelope(entry, event, id, project, source), identity && entry.fields.replyTo, identity && (entry.fields.replyTo ?? entry.fields.worker))
    } catch (error) {
      if (!(error instanceof HubError)) log.error({ err: error, stream: entry.stream, entry: entry.id }, 'a source entry could not be decoded')
      const failure = error instanceof HubError ? error : new HubError('INTERNAL_ERROR', 'The entry could not be decoded.')
      return refuse(entry, failure, { seen: claimedKey(entry, identity, input), replyTo: identity && entry.fields.replyTo })
    }
  }
}

function sourceOf(entry: SourceEntry, identity: EntryIdentity | undefined): string {
  return identity?.source ?? `/streams/${entry.stream}`
}

/** Key under which a refused entry can be asked for, if it named itself. */
function claimedKey(entry: SourceEntry, identity: EntryIdentity | undefined, input: Record<string, unknown> | undefined): string | undefined {
  const project = identity?.project ?? input?.project ?? DEFAULT_PROJECT
  const id = input?.id
  return typeof id === 'string' && id !== '' && isProject(project) ? seenKey(project, sourceOf(entry, identity), id) : undefined
}

function envelope(entry: SourceEntry, event: NormalEvent, id: string, project: string, source: string): HubEvent {
  const recordedAt = offsetMillis(entry.id)
  // `normalise` made the object; a copy would cost as much as the rest of the envelope.
  const metadata = Object.assign(event.metadata, { version: event.metadata.version ?? '1.0', source, recordedAt })
  return { id, type: event.type, timestamp: event.timestamp ?? recordedAt, project, topics: routeTopics(event), data: event.data, metadata }
}

/** Bound before it is parsed: `normalise` measures the data, but only after `JSON.parse` made objects of all of it. */
function readEvent(text: string | undefined, maxBytes: number): Record<string, unknown> {
  if (text === undefined) throw new HubError('INVALID_MESSAGE', 'The entry has no field `event`.')
  if (text.length > maxBytes * 1.5) throw new HubError('PAYLOAD_TOO_LARGE', 'The field `event` is larger than any event may be.')
  let input: unknown
  try {
    input = JSON.parse(text)
  } catch (cause) {
    throw new HubError('INVALID_MESSAGE', 'The field `event` is not JSON.', undefined, { cause })
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new HubError('INVALID_MESSAGE', 'The field `event` is not a JSON object.')
  }
  return input as Record<string, unknown>
}

/** Undefined where an identity does not count, or none was written. */
function createIdentityReader(raw: ReadonlySet<string>): (entry: SourceEntry) => EntryIdentity | undefined {
  const known = new Map<string, EntryIdentity>()
  return ({ stream, fields }) => {
    if (fields.identity === undefined || raw.has(stream)) return undefined
    const found = known.get(fields.identity)
    if (found) return found
    const identity = readIdentity(fields.identity, stream)
    if (known.size >= KEPT_IDENTITIES) known.clear()
    known.set(fields.identity, identity)
    return identity
  }
}

function readIdentity(text: string, stream: SourceName): EntryIdentity {
  let identity: Partial<EntryIdentity> | null
  try {
    identity = JSON.parse(text) as Partial<EntryIdentity> | null
  } catch (cause) {
    throw new HubError('INVALID_MESSAGE', `The entry's identity on ${stream} is not JSON.`, undefined, { cause })
  }
  const source = identity?.source
  if (typeof source !== 'string' || source === '' || source.length > 1024 || !isProject(identity?.project)) {
    throw new HubError('INVALID_MESSAGE', `The entry's identity on ${stream} has no source or project.`)
  }
  return identity as EntryIdentity
}

/** Consecutive entries are mostly of one project; its place is computed once. */
function createPlaceCheck({ partition, partitions }: DecodeContext): (project: string) => boolean {
  let last = ''
  let here = false
  return (project) => {
    if (project !== last) {
      last = project
      here = partitionOf(project, partitions) === partition
    }
    return here
  }
}
