/** Why an event did or did not arrive. */
import { named } from '@hubbub/protocol/catalogue'
import { answered, fields, get, TEXT, type Group } from '../endpoint.js'
import { CURSOR, EVENT } from './samples.js'

const MOMENT = '2026-11-21T10:04:10.120Z'
const COUNTS = { matched: 1, live: 1, caughtUp: 0, catchingUp: 0, slow: 0, gap: 0, superseded: 0, gone: 0 }

export const TRACES: Group = {
  title: 'Traces',
  access: 'subscribe:TOPIC of one of the event\'s topics; counts and other subjects\' sessions: admin',
  endpoints: [
    get('/api/v1/trace/:eventId', 'Why an event, named by its id or its cursor, did or did not arrive.', {
      query: {
        session: { about: 'What became of it for this session: the id of the session, or of its connection.', schema: TEXT },
        subject: { about: 'And for this subject\'s sessions.', schema: TEXT },
      },
      answers: { 200: answered('`status` is committed, refused or unknown. Found by its id when it is among the HUBBUB_TRACE_ENTRIES newest of its partition, by its cursor always.', fields({ trace: named('Trace') })) },
      failures: ['INVALID_MESSAGE', 'NOT_FOUND', 'INSUFFICIENT_PERMISSIONS'],
      example: {
        path: { eventId: EVENT.id }, query: { subject: 'git' },
        answer: {
          ok: true,
          trace: {
            status: 'committed', event: EVENT, cursor: CURSOR,
            received: { at: MOMENT, by: EVENT.metadata.source, worker: 'hub-1', stream: 'agents', entry: '1795255450118-0' },
            committed: { at: MOMENT, offset: '1795255450120-0', partition: 3, epoch: '4kQ0', batch: 17, processor: 'hub-1', afterMs: 2 },
            causes: [], derived: [{ id: 'd3.17.0', type: 'pipeline.progress', cursor: CURSOR, derived: [] }], derivedComplete: true,
            workers: [{ worker: 'hub-1', answered: true, ...COUNTS }],
            sessions: [{ session: '3.Zx8…', connection: 'q2b…', subject: 'git', worker: 'hub-1', wire: 'socketio', fate: 'not-subscribed', why: 'None of its subscriptions took any of the event\'s topics: task:T-1, agent:coder-1.', given: false }],
          },
        },
      },
    }),
  ],
}
