/**
 * `GET` and `POST /api/v1/runs/:runId/agui`: a run as AG-UI's clients read it, a stream of its events that ends with the run.
 *
 *     from=start      every event of the run, verbatim, from RUN_STARTED on
 *     from=snapshot   RUN_STARTED, MESSAGES_SNAPSHOT, STATE_SNAPSHOT, what is open; then verbatim
 *                     neither: start, unless that is long, or the client holds a part of the run already
 *     wait=30         seconds to wait for a run of which nothing is known yet
 *     since=<cursor>  or Last-Event-ID: verbatim behind it, to a client that holds what was before
 */
import { compareOffsets, HubError, isTopic, parseCursor, type Cursor } from '@hubbub/protocol'
import { Router, type Request, type Response } from 'express'
import { queryOf } from '../../access/credentials.js'
import type { Identity } from '../../access/identity.js'
import { isRecord, jsonOf, readBody } from '../http/bodies.js'
import { identityOf } from '../http/door.js'
import { readNumber } from '../http/history.js'
import type { HttpDeps } from '../http/needs.js'
import { preface } from '../http/stream-wire.js'
import { hubErrorOf } from '../../store/failure.js'
import type { Message } from './events.js'
import { AGUI, readRun, type History, type Reading } from './reading.js'
import { Telling } from './telling.js'
import { runEncoding, runError, writtenAll } from './wire.js'

/** A client sends all of its conversation along; bytes. */
const BODY_BYTES = 16 * 1024 * 1024
/** Of `wait`, s. */
const MOST_WAIT = 60

interface Asked {
  runId: string
  from?: 'start' | 'snapshot'
  since?: Cursor
  wait: number
  isHead: boolean
  /** Of the client, as it says. */
  messages: readonly Message[]
}

export function createRunStreams(deps: Pick<HttpDeps, 'operations' | 'streams' | 'settings' | 'metrics'>): Router {
  const { operations, streams, settings, metrics } = deps
  const router = Router()
  const encoding = runEncoding(metrics)

  const serve = async (asked: Asked, response: Response): Promise<void> => {
    const identity = identityOf(response)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const history: History = (request) => operations.history(identity, request, gone.signal)
    streams.requireRoom()
    const reading = await find(asked, identity, history, operations)
    if (gone.signal.aborted) return
    // The one answer after which an EventSource does not come back: it holds everything.
    if (asked.since !== undefined && reading.end !== undefined && !isBehind(reading.end, asked.since)) return void response.status(204).end()
    const stream = streams.begin(identity, response, { farewell: ({ code, message }) => writtenAll([runError(code, message)]) })
    stream.write(preface())
    // Express hands HEAD to GET: there is nothing to wait for.
    if (asked.isHead) return void stream.end()
    const telling = new Telling(asked.runId, stream, { follow: (...request) => operations.follow(...request), history, encoding, mostBytes: settings.aguiSnapshotBytes })
    try {
      if (asked.since !== undefined) await telling.since(asked.since)
      else if (startsWhole(asked, reading, settings.aguiReplayEvents)) await telling.fromStart(reading)
      else await telling.fromSnapshot(reading, othersOf(asked, reading))
    } catch (error) {
      void stream.end(hubErrorOf(error))
    }
  }

  router.get<{ runId: string }>('/runs/:runId/agui', async (request, response) => {
    await serve(readAsked(request, []), response)
  })
  router.post<{ runId: string }>('/runs/:runId/agui', readBody(BODY_BYTES), async (request, response) => {
    await serve(readAsked(request, messagesOf(jsonOf(request))), response)
  })
  return router
}

/** Rejects with NOT_FOUND where nothing is known of the run. */
async function find({ runId, wait }: Asked, identity: Identity, history: History, { entities }: HttpDeps['operations']): Promise<Reading> {
  const reading = await readRun(history, runId, 'all')
  if (isKnown(reading)) return reading
  const entity = await entities.find(identity, 'run', runId).catch(ifUnknown)
  // It may have begun between the two looks; else its events are gone and it is not, which is told in the stream.
  if (entity) return await readRun(history, runId, 'all')
  if (wait === 0) throw new HubError('NOT_FOUND', 'There is no such run.', { runId })
  await history({ topics: [`run:${runId}`], types: AGUI, since: reading.cursor, limit: 1, wait })
  const later = await readRun(history, runId, 'all')
  if (!isKnown(later)) throw new HubError('NOT_FOUND', `There is no such run, not even after ${wait} s.`, { runId })
  return later
}

function isKnown({ events, end }: Reading): boolean {
  return events > 0 || end !== undefined
}

function ifUnknown(error: unknown): undefined {
  if (error instanceof HubError && error.status === 404) return undefined
  throw error
}

function startsWhole({ from, messages }: Asked, { replica, events }: Reading, most: number): boolean {
  if (!replica.begun) return false
  if (from !== undefined) return from === 'start'
  // What it holds of the run would be said twice.
  return events <= most && !messages.some(({ id }) => replica.made.has(id))
}

/** What the client said before the run, and the run does not tell of. */
function othersOf({ messages }: Asked, { replica }: Reading): readonly Message[] {
  return replica.namesAllMessages ? [] : messages.filter(({ id }) => !replica.made.has(id))
}

/** Throws INVALID_TOPIC, INVALID_CURSOR, INVALID_MESSAGE. */
function readAsked(request: Request<{ runId: string }>, messages: readonly Message[]): Asked {
  const query = queryOf(request)
  const { runId } = request.params
  // A run's id with a `*` would be a pattern, and tell of several runs.
  if (!isTopic(`run:${runId}`)) throw new HubError('INVALID_TOPIC', undefined, { topic: `run:${runId}`.slice(0, 100) })
  const from = query.get('from')
  if (from && from !== 'start' && from !== 'snapshot') throw new HubError('INVALID_MESSAGE', '`from` must be start or snapshot.', { field: 'from' })
  const wait = readNumber('wait', query.get('wait') || '0')
  if (wait > MOST_WAIT) throw new HubError('INVALID_MESSAGE', `\`wait\` must be 0 to ${MOST_WAIT}.`, { field: 'wait' })
  const since = request.get('last-event-id') || query.get('since')
  if (since && !parseCursor(since)) throw new HubError('INVALID_CURSOR')
  return { runId, wait, messages, isHead: request.method === 'HEAD', ...(from && { from: from as 'start' | 'snapshot' }), ...(since && { since }) }
}

/** Of a RunAgentInput; whatever else it says is the agent's to read, and the agent is elsewhere. */
function messagesOf(body: unknown): readonly Message[] {
  const messages = isRecord(body) ? body['messages'] : undefined
  return Array.isArray(messages) ? messages.filter((message): message is Message => isRecord(message) && typeof message['id'] === 'string') : []
}

function isBehind(cursor: Cursor, other: Cursor): boolean {
  return compareOffsets(parseCursor(cursor)!.offset, parseCursor(other)!.offset) > 0
}
