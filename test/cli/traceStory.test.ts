/** A trace as readers get it: whatever stands in it, nothing of it reaches a terminal but text, and no line is endless. */
import type { CommittedTrace, DerivedEvent, RefusedTrace, SessionAccount, UnknownTrace } from '@hubbub/protocol'
import { storyOf } from '../../server/src/cli/trace-story.js'
import { table } from '../../server/src/cli/print.js'

const INK = { isColoured: false }
const EVIL = '\u001b[2J\u001b]0;owned\u0007\r\n\u202eevil\u0000\u009b31m'
const hostile = (text: string) => `${text}${EVIL}${'x'.repeat(1_000_000)}`
const at = '2026-11-21T10:04:10.120Z'

const LONG = hostile('long')

function derived(depth: number, id = LONG): DerivedEvent {
  return { id, type: LONG, cursor: LONG, derived: depth === 0 ? [] : [derived(depth - 1, id)] }
}

const account: SessionAccount = { session: hostile('s'), subject: '__proto__', worker: hostile('w'), wire: hostile('sse'), fate: 'live', why: hostile('Because'), subscriptionId: hostile('sub'), at: hostile(at) }
const worker = { worker: hostile('w'), answered: true, matched: 1, live: 1, caughtUp: 0, catchingUp: 0, slow: 0, gap: 0, superseded: 0, gone: 0 }
const trace: CommittedTrace = {
  status: 'committed', cursor: hostile('c'),
  event: { id: hostile('e'), type: hostile('t'), timestamp: 1, project: 'default', topics: Array<string>(1000).fill(hostile('task:1').slice(0, 300)), data: {}, metadata: { version: '1.0', source: hostile('/x'), recordedAt: 1 } },
  received: { at: hostile(at), by: hostile('/x'), worker: hostile('w'), stream: hostile('agents'), entry: hostile('1-0') },
  committed: { at: hostile(at), offset: hostile('1-0'), partition: 1, epoch: hostile('e'), batch: 3, processor: hostile('p'), afterMs: 2 },
  causes: [{ id: hostile('a'), type: hostile('t'), cursor: 'c' }], causeNotFound: hostile('b'), derived: [derived(3), derived(0)], derivedComplete: false,
  workers: [worker, { ...worker, answered: false }], sessions: [account, { ...account, fate: '__proto__' as never }], sessionsMore: 7,
}
const refused: RefusedTrace = { status: 'refused', eventId: hostile('e'), at: hostile(at), error: { code: 'INVALID_MESSAGE', message: hostile('no') }, partition: 1, letter: hostile('1-0'), received: trace.received }
const unknown: UnknownTrace = { status: 'unknown', eventId: hostile('e'), since: hostile(at), looked: 10, complete: false, sessions: [account] }

test.each([['committed', trace], ['refused', refused], ['unknown', unknown]] as const)('%s: hostile text stays text, and lines stay lines', (_, told) => {
  const lines = storyOf(told, INK)
  for (const line of lines) {
    // oxlint-disable-next-line no-control-regex
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
    expect(line.length).toBeLessThan(1500)
  }
})

test('a chain as long as can be is drawn, and indented only so far', () => {
  const lines = storyOf({ ...trace, derived: [derived(999, 'd')] }, INK)
  expect(lines.length).toBeGreaterThan(1000)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1500)
})

test('what is not known is said to be so, and what led to what is drawn with lines', () => {
  const plainTrace: CommittedTrace = {
    ...trace, cursor: 'e.1-0', event: { ...trace.event, id: 'e-1', type: 'task.created', topics: ['task:T'] }, received: { at },
    committed: { at, offset: '1-0', partition: 0, epoch: 'e', afterMs: 12 }, causes: [], causeNotFound: undefined,
    derived: [{ id: 'a', type: 'x', cursor: 'c', derived: [{ id: 'b', type: 'y', cursor: 'c', derived: [] }, { id: 'c', type: 'z', cursor: 'c', derived: [] }] }, { id: 'd', type: 'w', cursor: 'c', derived: [] }],
    derivedComplete: true, workers: [{ ...worker, worker: 'near' }, { ...worker, worker: 'far', answered: false }],
    sessions: [{ session: 's', subject: 'ann', worker: '', wire: 'socketio', fate: 'disconnected', why: 'It is connected nowhere.' }], sessionsMore: undefined,
  }
  expect(storyOf(plainTrace, INK)).toEqual([
    'e-1  task.created  committed',
    'received   2026-11-21 10:04:10.120Z by —, through —',
    'committed  2026-11-21 10:04:10.120Z, 12 ms later, as 1-0 of partition 0, batch —, by processor —',
    'cursor     e.1-0',
    'topics     task:T',
    'led to     ├─ a  x',
    '           │  ├─ b  y',
    '           │  └─ c  z',
    '           └─ d  w',
    '',
    ...table([['WORKER', 'MATCHED', 'LIVE', 'CAUGHT UP', 'CATCHING UP', 'SLOW', 'GAP', 'SUPERSEDED', 'GONE'], ['near', '1', '1', '0', '0', '0', '0', '0', '0'], ['far', '—', '—', '—', '—', '—', '—', '—', '—', 'did not answer']]),
    '',
    's  ann, socketio, on no worker: disconnected',
    '  It is connected nowhere.',
  ])
})
