/**
 * Why an event did or did not arrive: where it came in, what it follows from and led to, and what became of it for whoever is connected,
 * on every worker. Nothing of this is written down while events flow, beyond an entry's origin; it is found and derived when it is asked.
 */
import { formatCursor, HubError, offsetMillis, partitionOf, type CommittedTrace, type HubEvent, type Offset, type SessionAccount, type Trace, type UnknownTrace, type WorkerAccount } from '@hubbub/protocol'
import type { Identity } from '../access/identity.js'
import { isAdmin, isOperator, may } from '../access/permissions.js'
import type { Settings } from '../settings/table.js'
import type { DeadLetters, Provenance, Sessions } from '../store/port.js'
import type { Peers } from './peers.js'
import type { Roll } from './roll.js'
import { findLetter } from './trace-letters.js'
import { recordedAccount } from './trace-record.js'
import { offsetNamed, Search, type FoundEvent } from './trace-search.js'
import { accountOf, NOTHING, weightiest, type AccountDeps, type AccountRequest, type Chosen, type Told, type WorkerAnswer } from './trace-sessions.js'
import { Turns } from './trace-turns.js'

export interface TraceRequest {
  /** An id, a cursor, or an offset. Of several events of the same id, of several producers, it is the newest. */
  eventId: string
  /** A session's or connection's id. */
  session?: string
  subject?: string
}

export interface TraceDeps extends Omit<AccountDeps, 'worker'> {
  provenance: Provenance
  letters: DeadLetters
  sessions: Sessions
  peers: Peers
  roll: Pick<Roll, 'worker' | 'alive' | 'hear'>
  partitions: number
  settings: Settings
}

/** The workers of whom was heard, and the sessions asked about. */
interface Accounts {
  workers: WorkerAccount[]
  sessions: SessionAccount[]
  more: number
}

export type Tracer = (identity: Identity, request: TraceRequest) => Promise<Trace>

/** Between workers. */
const TRACE = 'trace'
/** So many times HUBBUB_WORKER_MS a dead worker is asked still: it does not answer, and whoever asks should know. */
const LINGERS = 3
const MOST_TEXT = 512
/** Searches at a time, and those that may wait for them. */
const TURNS = { most: 2, waiting: 32 }

/** Rejects with `HubError`: INVALID_MESSAGE, INSUFFICIENT_PERMISSIONS, NOT_FOUND (the session), UNAVAILABLE. */
export function createTracer(deps: TraceDeps): Tracer {
  const worker = nodeOf(deps.roll.worker)
  const turns = new Turns(TURNS.most, TURNS.waiting)
  // Of thousands of sessions an account takes its time: one after the other, whoever asks. What fails (the store is away) is not answered; a
  // rejection here would be nobody's, and end the program.
  const accounts = new Turns(1, TURNS.waiting)
  deps.peers.serve(TRACE, (request: AccountRequest) => accounts.take<Partial<WorkerAnswer>>(request.project, () => accountOf({ ...deps, worker }, request)).catch(() => ({})))

  return async (identity, request) => {
    checkRequest(request)
    const chosen = chosenBy(identity, request)
    const partition = partitionOf(identity.project, deps.partitions)
    const sees = (event: HubEvent) => event.project === identity.project && event.topics.some((topic) => may(identity, 'subscribe', topic))
    const search = new Search({ provenance: deps.provenance, partition, sees, entries: deps.settings.traceEntries })
    const { eventId } = request
    const asking: Asking = { identity, partition, search, turns, chosen }
    // Not while workers are waited for: one that is frozen would hold up everybody who asks.
    const found = await turns.take(identity.project, () => search.find(eventId))
    if (found) return await committed(deps, asking, found)
    return (await turns.take(identity.project, () => findLetter(deps.letters, partition, identity, eventId, deps.settings))) ?? (await unknown(deps, asking, eventId))
  }
}

interface Asking {
  identity: Identity
  partition: number
  search: Search
  turns: Turns
  chosen?: Chosen
}

async function committed(deps: TraceDeps, { identity, partition, search, turns, chosen }: Asking, found: FoundEvent): Promise<CommittedTrace> {
  const { entry, event } = found
  const { offset, epoch, origin } = entry
  const { project } = identity
  const [accounts, processor, [derived, causes]] = await Promise.all([
    isAdmin(identity) || chosen ? ask(deps, { project, offset, isSeen: true, chosen, onlyChosen: !isAdmin(identity) }) : undefined,
    deps.provenance.ownerOf(partition, epoch),
    turns.take(project, async () => [await search.derived(found), await search.causes(found)] as const),
  ])
  const trace: CommittedTrace = {
    status: 'committed',
    event,
    cursor: formatCursor(epoch, offset),
    received: {
      at: isoOf(event.metadata.recordedAt),
      by: event.metadata.source,
      ...(origin?.worker !== undefined && { worker: origin.worker }),
      ...(origin?.stream && { stream: origin.stream, entry: origin.entry }),
    },
    committed: {
      at: isoOf(offsetMillis(offset)), offset, partition, epoch, ...(origin && { batch: origin.batch }), ...(processor !== null && { processor }),
      afterMs: Math.max(0, offsetMillis(offset) - event.metadata.recordedAt),
    },
    causes: causes.found,
    ...(causes.missing !== undefined && { causeNotFound: causes.missing }),
    derived: derived.found,
    derivedComplete: derived.complete,
    workers: isAdmin(identity) ? accounts!.workers : [],
  }
  if (!chosen) return trace
  trace.sessions = await withRecord(deps, { identity, partition, chosen }, accounts!, { offset, event })
  if (accounts!.more > 0) trace.sessionsMore = accounts!.more
  return trace
}

async function unknown(deps: TraceDeps, { identity, partition, search, chosen }: Asking, eventId: string): Promise<UnknownTrace> {
  const { oldest, looked, complete } = search
  const trace: UnknownTrace = { status: 'unknown', eventId, since: isoOf(oldest === undefined ? Date.now() : offsetMillis(oldest)), ...(isOperator(identity) && { looked }), complete }
  const offset = offsetNamed(eventId)
  if (!chosen || offset === undefined) return trace
  const accounts = await ask(deps, { project: identity.project, offset, isSeen: false, chosen, onlyChosen: !isAdmin(identity) })
  trace.sessions = await withRecord(deps, { identity, partition, chosen }, accounts, { offset })
  return trace
}

async function ask({ peers, roll, settings }: TraceDeps, request: AccountRequest): Promise<Accounts> {
  // A worker that started since the last beat would be left out, and nobody would know.
  await roll.hear()
  const workers = roll.alive(LINGERS * settings.workerMs)
  const replies = await Promise.all(peers.ask(workers, TRACE, request, settings.traceMs))
  const answers = replies.map((reply) => (reply.status === 'answered' && 'counts' in (reply.answer as Partial<WorkerAnswer>) ? (reply.answer as WorkerAnswer) : undefined))
  const told = answers.flatMap((answer) => answer?.told ?? [])
  const sessions = onePerSession(told)
  return {
    workers: workers.map((name, place) => ({ worker: nodeOf(name), answered: answers[place] !== undefined, ...(answers[place]?.counts ?? NOTHING) })),
    sessions,
    more: answers.reduce((sum, answer) => sum + (answer ? answer.asked - answer.told.length : 0), 0),
  }
}

/** A client that came back on another worker is one session. Those that began last come first. */
function onePerSession(told: readonly Told[]): SessionAccount[] {
  const sessions = new Map<string, { finding: SessionAccount; beganAt: number }[]>()
  for (const { account, beganAt } of told) {
    const key = `${account.wire} ${account.session}`
    sessions.set(key, [...(sessions.get(key) ?? []), { finding: account, beganAt }])
  }
  const inTurn = [...sessions.values()].map((connections) => connections.sort((a, b) => a.beganAt - b.beganAt))
  return inTurn.sort((a, b) => b.at(-1)!.beganAt - a.at(-1)!.beganAt).map((connections) => weightiest(connections).finding)
}

/** Rejects with NOT_FOUND when a session was named of which nothing is known, or nothing that the asker may know (I6). */
async function withRecord(deps: TraceDeps, { identity, partition, chosen }: Required<Pick<Asking, 'identity' | 'partition' | 'chosen'>>, { sessions, workers }: Accounts, asked: { offset: Offset; event?: HubEvent }): Promise<SessionAccount[]> {
  const { session, subject } = chosen
  if (sessions.length > 0 || session === undefined) return sessions
  const stored = await deps.sessions.peek(partition, session)
  const record = stored?.record
  const silent = workers.filter(({ answered }) => !answered).map(({ worker }) => worker)
  if (record && record.project === identity.project && (subject === undefined || record.subject === subject)) return [recordedAccount(session, record, asked, silent)]
  const more = silent.length > 0 ? ` Not every worker answered: ${silent.join(', ')} did not.` : ''
  throw new HubError('NOT_FOUND', `No session of that id is known.${more}`, { session })
}

/** Throws INVALID_MESSAGE. */
function checkRequest(request: TraceRequest): void {
  for (const name of ['eventId', 'session', 'subject'] as const) {
    const text = request[name]
    if (text === undefined && name !== 'eventId') continue
    if (typeof text !== 'string' || text === '' || text.length > MOST_TEXT) throw new HubError('INVALID_MESSAGE', `\`${name}\` must be a text of 1 to ${MOST_TEXT} characters.`, { field: name })
  }
}

/** An admin asks about anybody, all others about themselves. Throws INSUFFICIENT_PERMISSIONS. */
function chosenBy(identity: Identity, { session, subject }: TraceRequest): Chosen | undefined {
  if (session === undefined && subject === undefined) return undefined
  if (isAdmin(identity)) return { session, subject }
  if (subject !== undefined && subject !== identity.subject) throw new HubError('INSUFFICIENT_PERMISSIONS', 'Only an admin may ask about others.', { needed: 'admin' })
  return { session, subject: identity.subject }
}

/** The name that its operator gave it; on the roll each start has a name of its own. */
function nodeOf(worker: string): string {
  return worker.replace(/-[0-9a-f]{8}$/, '')
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}
