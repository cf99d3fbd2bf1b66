import { HubError, type HubEvent } from '@hubbub/protocol'
import { eventLine, gapLine } from '../../server/src/cli/event-line.js'
import { failureLine, table } from '../../server/src/cli/print.js'
import { statusLines } from '../../server/src/cli/status.js'

const bare = { isColoured: false, columns: 120 }
const event = (data: unknown, over: Partial<HubEvent> = {}): HubEvent => ({
  id: 'e1',
  type: 'task.progress',
  timestamp: new Date(2026, 10, 21, 9, 5, 3, 7).getTime(),
  project: 'default',
  topics: ['task:42', 'agent:coder'],
  data,
  metadata: { version: '1.0', source: '/agents/coder', recordedAt: 0 },
  ...over,
})

describe('an event on a terminal', () => {
  it('is time, type, topic and what matters of its data, in one line', () => {
    const line = eventLine(event({ taskId: '42', progress: 50, message: 'half way', stats: { files: 3 } }), bare)
    expect(line).toBe('09:05:03.007  task.progress               task:42 +1              █████░░░░░  50 %  half way  stats={"files":3}  taskId…')
  })

  it('shows the topic that tells most', () => {
    expect(eventLine(event({}, { topics: ['project', 'task:7'] }), bare)).toContain('task:7 +1')
    expect(eventLine(event({}, { topics: ['system'] }), bare)).toMatch(/system$/)
  })

  it('is cut to the terminal', () => {
    const line = eventLine(event({ message: 'x'.repeat(500) }), { isColoured: false, columns: 100 })
    expect(line.length).toBeLessThanOrEqual(100)
    expect(line).toMatch(/…$/)
  })

  it('is coloured by the family of its type', () => {
    const coloured = { ...bare, isColoured: true }
    expect(eventLine(event({}), coloured)).toContain('\u001b[32mtask.progress')
    expect(eventLine(event({}, { type: 'agent.log' }), coloured)).toContain('\u001b[36magent.log')
    expect(eventLine(event({}), bare)).not.toContain('\u001b')
  })

  it('carries nobody\'s control characters to the terminal', () => {
    const nasty = '\u001b]0;owned\u0007\u001b[2J\r\n\u202eevil\u009b31m'
    const line = eventLine(event({ message: nasty, [nasty]: nasty }, { topics: [`task:${nasty}`], type: `custom.${nasty}` }), bare)
    // oxlint-disable-next-line no-control-regex
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  })

  it('shows any data and any time', () => {
    for (const data of [null, 'text', 7, [1, 2], { deep: { er: [null] } }, {}]) expect(eventLine(event(data), bare)).toMatch(/^09:05:03\.007 {2}task\.progress/)
    expect(eventLine(event({}, { timestamp: Number.NaN }), bare)).toMatch(/^\?\?:/)
  })
})

describe('other lines', () => {
  it('say what a gap is', () => {
    expect(gapLine({ from: 'a.1-0', to: 'a.9-0', reason: 'trimmed' })).toBe('-- gap: events between a.1-0 and a.9-0 can no longer be had: the journal no longer keeps them --')
  })

  it('say code, place and remedy of a failure', () => {
    expect(failureLine(new HubError('INSUFFICIENT_PERMISSIONS', undefined, { needed: 'admin' }))).toBe(
      'INSUFFICIENT_PERMISSIONS: The identity may not do this. {"needed":"admin"} Ask for a token with the permission that `details.needed` names.',
    )
  })

  it('align tables', () => {
    expect(table([['A', 'LONG', 'C'], ['aaa', 'b', '']])).toEqual(['A    LONG  C', 'aaa  b'])
  })

  it('show whatever status a hub gives', () => {
    const lines = statusLines({ version: '1', uptimeMs: 93_784_000, store: { kind: 'redis', pingMs: 1 }, news: [1], partitions: [{ partition: 0, owner: null, lag: 3 }, { partition: 1, owner: 'n' }] })
    expect(lines).toEqual(['version  1', 'store    kind redis, pingMs 1', 'news     0 1', 'up for   1d 2h', '', 'PARTITION  OWNER     LAG', '0          (nobody)  3', '1          n'])
  })
})
