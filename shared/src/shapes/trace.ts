/** What a trace answers, as schemas; `trace.ts` has the same for TypeScript. */
import { Type } from 'typebox'
import { Count, Flag, maybe, Text } from '../catalogue/scalars.js'
import type { Failure } from '../failures.js'
import { FATES, type CommittedTrace, type DerivedEvent, type Received, type RefusedTrace, type SessionAccount, type TracedEvent, type UnknownTrace, type WorkerAccount } from '../trace.js'
import { about, named, shape } from './shape.js'

const Moment = Type.String({ format: 'date-time' })
const traced = { id: Text, type: Text, cursor: named('Cursor') }
const Sessions = Type.Array(named('SessionAccount'))

export const TRACE_SHAPES = {
  Received: shape<Received>({ at: Moment, by: maybe(about(Text, '`metadata.source`')), worker: maybe(about(Text, 'That took it in.')), stream: maybe(Text), entry: maybe(about(Text, 'Of the source stream.')) }),
  DerivedEvent: shape<DerivedEvent>({ ...traced, derived: Type.Array(named('DerivedEvent')) }),
  WorkerAccount: shape<WorkerAccount>({
    worker: Text, answered: about(Flag, 'False: it did not answer in time, and the counts are 0.'), matched: about(Count, 'Sessions whose subscriptions the event matches.'), live: Count, caughtUp: about(Count, 'Read from the journal later.'),
    catchingUp: about(Count, 'Still on their way to it.'), slow: about(Count, 'Read from the journal later, because their socket was slow.'), gap: about(Count, 'It lies in a gap that they were told.'),
    superseded: about(Count, 'They asked for the latest only, and another one went in its place.'), gone: about(Count, 'Their connection ended before; of those that are remembered.'),
  }),
  SessionAccount: shape<SessionAccount>({
    session: Text, connection: maybe(Text), subject: Text, worker: about(Text, 'Empty: connected to none that is known.'), wire: about(Text, '`socketio`, `websocket`, `sse`, `http`, `sink`, `process`'), fate: Type.Enum([...FATES]), why: Text,
    subscriptionId: maybe(Text), at: maybe(Moment), given: maybe(about(Flag, 'Whether it was written to a connection of the session; absent: nobody knows.')),
  }),
  Trace: about(Type.Union([
    shape<CommittedTrace>({
      status: Type.Literal('committed'), event: named('HubEvent'), cursor: named('Cursor'), received: named('Received'),
      committed: shape<CommittedTrace['committed']>({ at: Moment, offset: Text, partition: Count, epoch: Text, batch: maybe(Count), processor: maybe(Text), afterMs: about(Count, 'ms since it was received.') }),
      causes: about(Type.Array(shape<TracedEvent>(traced)), 'What it follows from, the nearest first.'), causeNotFound: maybe(about(Text, 'Id of the next cause, which was not found.')),
      derived: Type.Array(named('DerivedEvent')), derivedComplete: Flag, workers: about(Type.Array(named('WorkerAccount')), 'For admins.'), sessions: maybe(Sessions), sessionsMore: maybe(Count),
    }),
    shape<RefusedTrace>({ status: Type.Literal('refused'), eventId: Text, at: Moment, error: shape<Pick<Failure, 'code' | 'message'>>({ code: Text, message: Text }), partition: Count, letter: about(Text, 'Id of the dead letter.'), received: named('Received') }),
    shape<UnknownTrace>({
      status: Type.Literal('unknown'), eventId: Text, since: about(Moment, 'The journal was looked through back to here.'), looked: maybe(about(Count, 'Entries, of all projects: for operators.')), complete: about(Flag, 'Back to the oldest that the journal has.'), sessions: maybe(Sessions),
    }),
  ]), 'Why an event did or did not arrive.'),
}
