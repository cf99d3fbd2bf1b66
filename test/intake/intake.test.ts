import { partitionOf, type Answer, type PublishResult } from '@hubbub/protocol'
import { may } from '../../server/src/access/permissions.js'
import { createIntake, type Intake } from '../../server/src/intake/intake.js'
import { silent } from '../../server/src/observe/log.js'
import { createMetrics } from '../../server/src/observe/metrics.js'
import type { Settings } from '../../server/src/settings/table.js'
import { StoreUnavailable, type Store } from '../../server/src/store/port.js'
import { eventually } from '../harness/eventually.js'
import { progress } from '../processor/entries.js'
import { withFault } from '../processor/fault.js'
import { KINDS, openStage, stopRedisOfFile, type Stage } from '../processor/stage.js'
import { coder, engine, operator, reviewer, viewer } from './people.js'

const COMMITTED = { ack: 'committed', client: 'c1' } as const

let stage: Stage
const intakes: Intake[] = []

async function open(store: Store = stage.store, settings: Partial<Settings> = {}, worker = 'w1'): Promise<Intake> {
  const intake = await createIntake({ store, settings: { ...stage.settings, ...settings }, metrics: createMetrics(), log: silent, worker, may })
  intakes.push(intake)
  return intake
}

function codes(answers: Answer<PublishResult>[]): string[] {
  return answers.map((answer) => (answer.ok ? 'ok' : answer.error.code))
}

function single(answers: Answer<PublishResult>[]): PublishResult {
  const [answer] = answers
  if (!answer?.ok) throw new Error(JSON.stringify(answer))
  return answer
}

afterEach(async () => {
  await Promise.all(intakes.splice(0).map((intake) => intake.close()))
  await stage.close()
})
afterAll(stopRedisOfFile)

describe.each(KINDS)('publishing on the %s store', (kind) => {
  beforeEach(async () => {
    stage = await openStage(kind)
    await stage.processor('p1').start()
  })

  test('is answered with the offset at which the event stands in the journal (I4)', async () => {
    const intake = await open()
    const answers = await intake.publish(coder, [progress('e1', 't', 1), progress(undefined, 't', 2)], COMMITTED)
    const uuid: unknown = expect.stringMatching(/^[0-9a-f-]{36}$/)
    expect(answers).toMatchObject([{ ok: true, id: 'e1', type: 'task.progress' }, { ok: true, id: uuid }])
    const { entries } = await stage.store.readRange(0, '0-0', (await stage.store.head(0)).last, 10)
    expect(entries.map(({ offset }) => offset)).toEqual(answers.map((answer) => answer.ok && answer.offset))
    expect((await stage.journal()).map(({ metadata }) => metadata.source)).toEqual(['/agents/coder', '/agents/coder'])
  })

  test('answers each input on its own, in order, and commits the good ones in theirs', async () => {
    const intake = await open()
    const wrong = [null, progress('b', 't', 400), { type: 'no.such' }, progress('c', 't', 3, { project: 'other' }), 'text']
    const answers = await intake.publish(coder, [progress('a', 't', 1), ...wrong, progress('d', 't', 4)], COMMITTED)
    expect(codes(answers)).toEqual(['ok', 'INVALID_MESSAGE', 'VALIDATION_ERROR', 'UNKNOWN_TYPE', 'WRONG_PROJECT', 'INVALID_MESSAGE', 'ok'])
    expect((await stage.journal()).map(({ id }) => id)).toEqual(['a', 'd'])
    expect(await stage.store.dead.count(0)).toBe(0)
  })

  test('repeats the first answer to whoever publishes again (I3)', async () => {
    const intake = await open()
    const first = single(await intake.publish(coder, [progress('e1', 't', 1)], COMMITTED))
    expect(first.duplicate).toBeUndefined()
    expect(single(await intake.publish(coder, [progress('e1', 't', 1)], COMMITTED))).toEqual({ ...first, duplicate: true })
    expect(single(await intake.publish(reviewer, [progress('e1', 't', 1)], COMMITTED)).duplicate).toBeUndefined()
    expect(await stage.journal()).toHaveLength(2)
  })

  test('answers every one of several that publish the same at once, on any worker', async () => {
    const [here, there] = [await open(), await open(await stage.another(), {}, 'w2')]
    const answers = await Promise.all([here, there, here, there, here].map((intake) => intake.publish(coder, [progress('e1', 't', 1)], COMMITTED)))
    const results = answers.map(single)
    expect(new Set(results.map(({ offset }) => offset)).size).toBe(1)
    expect(results.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    expect(await stage.journal()).toHaveLength(1)
  })

  test('answers before the commit when only acceptance was asked for', async () => {
    const intake = await open()
    const answer = single(await intake.publish(coder, [progress('e1', 't', 1)], { ack: 'accepted', client: 'c1' }))
    expect(answer).toEqual({ ok: true, id: 'e1', type: 'task.progress' })
    await stage.journalOf(1)
  })

  test('looks the outcome up when its hint was lost', async () => {
    const deaf = withFault(stage.store, { listen: async () => async () => {} })
    const intake = await open(deaf, { ackLookupMs: 100 })
    expect(single(await intake.publish(coder, [progress('e1', 't', 1)], COMMITTED)).offset).toBe((await stage.store.head(0)).last)
  })

  test('looks everything up at once after the hints were interrupted', async () => {
    let interrupt!: () => void
    const deaf = withFault(stage.store, {
      listen: async (_worker, _partitions, onAcks) => {
        interrupt = () => onAcks(null)
        return async () => {}
      },
    })
    const intake = await open(deaf, { ackLookupMs: 60_000 })
    const answering = intake.publish(coder, [progress('e1', 't', 1)], COMMITTED)
    await stage.journalOf(1)
    interrupt()
    expect(single(await answering).id).toBe('e1')
  })

  test('waits for a store that is away, and keeps each producer\'s order (I1)', async () => {
    let away = true
    const store = withFault(stage.store, {
      append: (partition, batch) => (away ? Promise.reject(new StoreUnavailable('away')) : stage.store.append(partition, batch)),
    })
    const intake = await open(store)
    const answers = Array.from({ length: 20 }, (_, at) => intake.publish(coder, [progress(`e${at}`, 't', at)], COMMITTED))
    await new Promise((resolve) => setImmediate(resolve))
    away = false
    expect((await Promise.all(answers)).map((answer) => single(answer).id)).toEqual(Array.from({ length: 20 }, (_, at) => `e${at}`))
    expect((await stage.journal()).map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, at) => `e${at}`))
  })

  test('is taken once although the answer of its append was lost (I3)', async () => {
    let lost = false
    const store = withFault(stage.store, {
      async append(partition, batch) {
        const ids = await stage.store.append(partition, batch)
        if (lost) return ids
        lost = true
        throw new StoreUnavailable('the answer was lost')
      },
    })
    const intake = await open(store)
    expect(codes(await intake.publish(coder, [progress('a', 't', 1), progress('b', 't', 2)], COMMITTED))).toEqual(['ok', 'ok'])
    expect(codes(await intake.publish(coder, [progress('c', 't', 3)], COMMITTED))).toEqual(['ok'])
    expect((await stage.journal()).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  })

  test('stores a delivery once, and says when it came again', async () => {
    const intake = await open()
    const delivery = { id: 'd1', type: 'custom.delivery', data: { n: 1 } }
    const deliver = () => intake.deliver('default', 'https://github.com/octo/hub', delivery, { key: 'default/d1', ttlMs: 60_000 })
    expect(await deliver()).toEqual({ id: 'd1', duplicate: false })
    expect(await deliver()).toEqual({ id: 'd1', duplicate: true })
    const [event] = await stage.journalOf(1)
    expect(event!.metadata.source).toBe('https://github.com/octo/hub')
    const nonsense = intake.deliver('default', 'x', { type: 'no.such', data: {} }, { key: 'k', ttlMs: 1000 })
    await expect(nonsense).rejects.toMatchObject({ code: 'UNKNOWN_TYPE' })
  })

  test('goes to the partition of its project, and to no other project (I6)', async () => {
    await stage.close()
    stage = await openStage(kind, { partitions: 4 })
    await stage.processor('p1').start()
    const intake = await open()
    const project = 'shop'
    await intake.publish({ ...coder, project }, [progress('e1', 't', 1)], COMMITTED)
    await intake.publish(coder, [progress('e1', 't', 1)], COMMITTED)
    expect(await stage.journal(partitionOf(project, 4))).toMatchObject([{ id: 'e1', project }])
    expect(await stage.journal(partitionOf('default', 4))).toMatchObject([{ id: 'e1', project: 'default' }])
  })
})

describe('an intake', () => {
  beforeEach(async () => {
    stage = await openStage('memory')
  })

  test('says that the outcome is unknown when no commit came in time (I4)', async () => {
    const intake = await open(stage.store, { publishTimeoutMs: 200, ackLookupMs: 100 })
    const [answer] = await intake.publish(coder, [progress('e1', 't', 1)], COMMITTED)
    expect(answer).toMatchObject({ ok: false, error: { code: 'OUTCOME_UNKNOWN', retryable: true } })
    await stage.processor('p1').start()
    expect(single(await intake.publish(coder, [progress('e1', 't', 1)], COMMITTED)).id).toBe('e1')
    expect(await stage.journal()).toHaveLength(1)
  })

  test('refuses what finds its queue full', async () => {
    const away = withFault(stage.store, { append: () => Promise.reject(new StoreUnavailable('away')) })
    const intake = await open(away, { publishQueue: 200, publishTimeoutMs: 300 })
    const answers = codes(await intake.publish(coder, Array.from({ length: 120 }, (_, at) => progress(`e${at}`, 't', 1)), COMMITTED))
    expect(answers.filter((code) => code === 'UNAVAILABLE')).toHaveLength(20)
    expect(answers.filter((code) => code === 'OUTCOME_UNKNOWN')).toHaveLength(100)
  })

  test('holds each client to the rates of its type families', async () => {
    const intake = await open(stage.store, { familyRates: 'custom=5,*=1000' })
    const notes = Array.from({ length: 20 }, () => ({ type: 'custom.note', data: {} }))
    const options = { ack: 'accepted', client: 'c1' } as const
    const answers = await intake.publish(engine, notes, options)
    expect(codes(answers).filter((code) => code === 'ok')).toHaveLength(10)
    expect(answers.at(-1)).toMatchObject({ error: { code: 'RATE_LIMITED', details: { scope: 'family', family: 'custom', retryAfterMs: expect.any(Number), limit: 5, unit: 'events/s' } } })
    intake.forget('c1')
    expect(codes(await intake.publish(engine, notes.slice(0, 1), options))).toEqual(['ok'])
  })

  test('lets nobody publish what the identity may not', async () => {
    const intake = await open()
    const refused = { code: 'INSUFFICIENT_PERMISSIONS', details: { needed: 'publish:task.progress' } }
    expect(await intake.publish(viewer, [progress('e1', 't', 1)], COMMITTED)).toMatchObject([{ error: refused }])
    const hubs = [{ type: 'connection.opened', data: { connectionId: 'c' } }, { type: 'task.delegate', data: { taskId: 't', agentId: 'a' } }]
    expect(codes(await intake.publish(operator, hubs, COMMITTED))).toEqual(['UNKNOWN_TYPE', 'UNKNOWN_TYPE'])
    expect(await stage.store.lag(0)).toBe(0)
  })

  test('writes nothing that it vouches for to a stream open to raw writers', async () => {
    await stage.processor('p1').start()
    const intake = await open(stage.store, { rawStreams: 'agents,workflows,system' })
    await open().then((other) => other.publish(engine, [progress('plain', 't', 1)], COMMITTED))
    await intake.publish(coder, [progress('e1', 't', 1)], { ...COMMITTED, ack: 'accepted' })
    const events = await stage.journalOf(2)
    expect(events.map(({ metadata }) => metadata.source)).toEqual(['/services/engine', '/agents/coder'])
    await expect(open(stage.store, { rawStreams: 'agents,workflows,github,system' })).rejects.toThrow(/^HUBBUB_RAW_STREAMS: .* is not allowed/)
  })

  test('that is closed leaves nobody waiting', async () => {
    const intake = await open()
    const answering = intake.publish(coder, [progress('e1', 't', 1)], COMMITTED)
    await eventually(async () => (await stage.store.lag(0)) === 1, 'the append')
    await intake.close()
    expect(codes(await answering)).toEqual(['OUTCOME_UNKNOWN'])
    expect(codes(await intake.publish(coder, [progress('e2', 't', 1)], COMMITTED))).toEqual(['UNAVAILABLE'])
  })
})
