/** What else a trace tells: refused, unknown, trimmed, workers that do not answer, what led to what; and to whom it tells nothing. */
import type { DerivedEvent } from '@hubbub/protocol'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { tap } from '../harness/tap.js'
import { token } from '../harness/token.js'
import { startOnTerminal } from './terminal.js'
import { as, startTraceScene, type TraceScene } from './traceScene.js'

let scene: TraceScene
const open: { close(): void }[] = []

afterEach(() => {
  for (const one of open.splice(0)) one.close()
})
afterAll(() => scene?.close())

/** The one before is ended. */
async function start(env: Record<string, string> = {}): Promise<void> {
  await scene?.close()
  scene = await startTraceScene({ env })
}

/** Stays away once it is cut off. */
async function watcher(sub: string, topics: string[], url: string): Promise<Sink> {
  const sink = await stockClient(url, { token: as(sub), topics, client: { reconnection: false } })
  open.push(sink)
  return sink
}

const sessionOf = ({ socket }: Sink): string => (socket as unknown as { _pid: string })._pid

beforeAll(() => start(), 60_000)

test('an event that a rule refused is among the dead letters, and told to its producer and admins only', async () => {
  await scene.publish('c-1', 'checkpoint.created', { checkpointId: 'C', taskId: 'T', trigger: 'manual' })
  const producer = token({ sub: 'engine', role: 'service' })
  await scene.publish('c-2', 'checkpoint.created', { checkpointId: 'C', taskId: 'T', trigger: 'manual' }, { ack: 'accepted', as: producer })
  const told = await eventually(async () => {
    const trace = await scene.trace('c-2')
    return trace.status === 'refused' ? trace : undefined
  }, 'the refusal')
  expect(told).toMatchObject({
    eventId: 'c-2', partition: 0, letter: expect.stringMatching(/^\d+-\d+$/) as string, error: { code: 'BUSINESS_LOGIC_ERROR', message: expect.stringContaining('There is a checkpoint C already.') as string },
    received: { by: '/services/engine', worker: 'near', stream: 'system' },
  })
  expect((await scene.trace('c-2', { as: producer })).status).toBe('refused')
  expect((await scene.trace('c-2', { as: as('ann') })).status).toBe('unknown')
}, 120_000)

test('an event that nobody accepted is unknown, as is one of another project, or one that the asker may not see', async () => {
  await scene.note('mine', 'task:1')
  const unheard = await scene.trace('unheard')
  expect(unheard).toEqual({ status: 'unknown', eventId: 'unheard', since: expect.stringMatching(/Z$/) as string, complete: true })
  expect(await scene.trace('unheard', { as: token({ projects: ['*'], project: 'default' }) })).toMatchObject({ status: 'unknown', looked: expect.any(Number) as number })
  const strange = [token({ project: 'other' }), as('eve', { permissions: ['subscribe:agent:*'] })]
  for (const who of strange) {
    expect(await scene.trace('mine', { as: who })).toEqual({ ...unheard, eventId: 'mine', since: expect.anything() as string })
  }
  expect((await scene.trace('mine', { as: as('ann') })).status).toBe('committed')
}, 120_000)

test('counts and others\' sessions are for admins; everybody is told of himself', async () => {
  const ann = await watcher('ann', ['task:1'], scene.near.url)
  const bob = await watcher('bob', ['task:1'], scene.far.url)
  await scene.note('e', 'task:1')
  await ann.holds(1)
  expect(await scene.committed('e', { as: as('ann') })).toMatchObject({ workers: [] })
  expect(await scene.committed('e', { as: as('ann'), subject: 'ann' })).toMatchObject({ workers: [], sessions: [{ fate: 'live', subject: 'ann' }] })
  expect((await scene.committed('e', { as: as('ann'), session: sessionOf(ann) })).sessions).toHaveLength(1)
  const refusals = await Promise.all([scene.run('e', { as: as('ann'), subject: 'bob' }), scene.run('e', { as: as('ann'), session: sessionOf(bob) }), scene.run('e', { session: 'nobody' }), scene.run('e', { as: token({ project: 'other' }), session: sessionOf(bob) })])
  expect(refusals.map(({ code, stderr }) => [code, /[A-Z]+_[A-Z]+/.exec(stderr)?.[0]])).toEqual([[1, 'INSUFFICIENT_PERMISSIONS'], [1, 'NOT_FOUND'], [1, 'NOT_FOUND'], [1, undefined]])
}, 120_000)

test('a frozen worker has not answered, and nothing is said in its place; then it has', async () => {
  const ann = await watcher('ice', ['task:frozen'], scene.near.url)
  await scene.note('e-frozen', 'task:frozen')
  await ann.holds(1)
  await scene.near.kill('SIGSTOP')
  const frozen = await scene.committed('e-frozen', { subject: 'ice' })
  expect(frozen.workers).toMatchObject([{ worker: 'far', answered: true }, { worker: 'near', answered: false, matched: 0 }])
  expect(frozen.sessions).toEqual([])
  const [named] = (await scene.committed('e-frozen', { session: sessionOf(ann) })).sessions!
  expect(named).toMatchObject({ fate: 'expired', worker: '', subject: 'ice', why: expect.stringContaining('near') as string })
  expect(named).not.toHaveProperty('given')
  await scene.near.kill('SIGCONT')
  await eventually(async () => (await scene.committed('e-frozen')).workers.every(({ answered }) => answered), 'the answer of the worker that woke')
  expect(await scene.fate('e-frozen', 'ice')).toMatchObject({ fate: 'live' })
}, 120_000)

test('what led to what: a task that was delegated', async () => {
  const coder = token({ sub: 'coder', role: 'agent' })
  const agent = await tap(scene.near.url, { auth: { token: coder } })
  open.push(agent)
  await agent.must('agent.register', { agentType: 'coder', capabilities: ['test'], maxTasks: 1 })
  const ordered = await ask(`${scene.near.url}/api/v1/tasks`, { as: token({ sub: 'engine', role: 'service' }), json: { id: 'T-1', type: 'test', requires: ['test'], pipelineId: 'P-1', deadline: '2030-01-01T00:00:00Z' } })
  expect(ordered.body.ok).toBe(true)
  const history = async (type: string) => ((await ask(`${scene.near.url}/api/v1/history?topics=task:T-1&types=${type}`, { as: token() })).body['events'] as { event: { id: string } }[])[0]?.event.id
  const created = (await history('task.created'))!
  const delegated = await eventually(() => history('task.delegated'), 'the delegation')
  const told = await scene.committed(created)
  const flat = (events: readonly DerivedEvent[]): string[] => events.flatMap(({ type, derived }) => [type, ...flat(derived)])
  expect(flat(told.derived)).toEqual(expect.arrayContaining(['task.delegated', 'pipeline.progress']))
  const up = await scene.committed(delegated)
  expect(up.causes.at(-1)).toMatchObject({ id: created, type: 'task.created' })
  expect(up.received).not.toHaveProperty('worker')
  expect(up.committed).toMatchObject({ batch: told.committed.batch, processor: 'mill' })
  // A producer's own chain, over several commits; and a cause that is no event of this hub.
  await scene.publish('own-1', 'custom.note', {}, { metadata: { causationId: created } })
  await scene.publish('own-2', 'custom.note', {}, { metadata: { causationId: 'own-1' } })
  await scene.publish('own-3', 'custom.note', {}, { metadata: { causationId: 'elsewhere' } })
  expect((await scene.committed('own-2')).causes.map(({ id }) => id)).toEqual(['own-1', created])
  expect(flat((await scene.committed(created)).derived).filter((type) => type === 'custom.note')).toHaveLength(2)
  expect(await scene.committed('own-3')).toMatchObject({ causes: [], causeNotFound: 'elsewhere' })
}, 120_000)

test('on a terminal it is a story, and nothing of an event moves the cursor', async () => {
  await scene.publish('e-<b>\u202etxt.exe', 'custom.note', {}, { topics: ['task:term'], metadata: { causationId: 'gone' } })
  await scene.publish('follows', 'custom.note', {}, { topics: ['task:term'], metadata: { causationId: 'e-<b>\u202etxt.exe' } })
  const ann = await watcher('ann', ['task:term'], scene.near.url)
  const screen = startOnTerminal(['trace', 'e-<b>\u202etxt.exe', '--subject', 'ann'], { HUBBUB_URL: scene.far.url, HUBBUB_TOKEN: token() }, { columns: 200, rows: 40 })
  expect((await screen.exited).code).toBe(0)
  await eventually(() => screen.text().includes('subscribed-later'), 'the story')
  const text = screen.text()
  for (const said of ['e-<b> txt.exe  custom.note  committed', 'by /services/engine, through near, as system', 'by processor mill', 'caused by  gone, which is not in the journal', 'led to     └─ follows  custom.note', 'WORKER  MATCHED', 'ann, socketio, on near: subscribed-later']) expect(text).toContain(said)
  expect(screen.written()).not.toContain('\u202e')
  ann.close()
  const unheard = startOnTerminal(['trace', 'unheard'], { HUBBUB_URL: scene.far.url, HUBBUB_TOKEN: token() })
  expect((await unheard.exited).code).toBe(1)
  await eventually(() => unheard.text().includes('unknown'), 'the answer')
}, 120_000)

test('a trimmed event is unknown; by its cursor the gap is told that its session was told', async () => {
  await start({ HUBBUB_RETENTION_MS: '200', HUBBUB_RETENTION_COUNT: '10', HUBBUB_BOOKMARK_MS: '60000' })
  const halt = new AbortController()
  open.push({ close: () => halt.abort() })
  await scene.note('e-old', 'task:1')
  const { cursor, committed } = await scene.committed('e-old')
  await eventually(async () => {
    for (let n = 0; n < 20; n++) await ask(`${scene.near.url}/api/v1/events`, { as: token(), json: { type: 'custom.note', topics: ['task:1'], data: {} } })
    return (await scene.trace('e-old')).status === 'unknown'
  }, 'the event being trimmed', 30_000)
  const behind = `${cursor.split('.')[0]}.${Number(committed.offset.split('-')[0]) - 1}-0`
  const response = await fetch(`${scene.near.url}/api/v1/stream?topics=task:1&lastEventId=${behind}`, { headers: { authorization: `Bearer ${as('gina')}` }, signal: halt.signal })
  const reader = response.body!.getReader()
  let text = ''
  while (!text.includes('event: gap')) text += Buffer.from((await reader.read()).value ?? []).toString()
  const told = await scene.trace(cursor, { subject: 'gina' })
  expect(told).toMatchObject({ status: 'unknown', sessions: [{ fate: 'gap', wire: 'sse', why: expect.stringContaining('trimmed') as string }] })
}, 120_000)

test('of a killed worker\'s session its record tells, once the worker is given up', async () => {
  await start({ HUBBUB_WORKER_MS: '3000' })
  const ann = await watcher('ann', ['task:1'], scene.near.url)
  const session = sessionOf(ann)
  await scene.note('e', 'task:1')
  await ann.holds(1)
  await scene.near.kill('SIGKILL')
  await scene.publish('e-2', 'custom.note', {}, { topics: ['task:1'], at: scene.far })
  await scene.publish('e-3', 'custom.note', {}, { topics: ['task:3'], at: scene.far })
  expect((await scene.committed('e-2')).workers).toMatchObject([{ worker: 'far', answered: true }, { worker: 'near', answered: false }])
  await eventually(async () => (await scene.committed('e-2')).workers.length === 1, 'the dead worker being given up', 60_000)
  const fate = async (id: string) => (await scene.committed(id, { session })).sessions![0]!
  expect(await fate('e-2')).toMatchObject({ fate: 'disconnected', subject: 'ann', worker: '', wire: 'socketio', why: expect.stringContaining('task:1') as string })
  expect(await fate('e-3')).toMatchObject({ fate: 'not-subscribed' })
}, 120_000)
