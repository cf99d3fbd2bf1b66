/** What nobody watches costs one question; what is tapped is told once a stage, sampled, bounded, and not for longer than was asked. */
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { may } from '../../server/src/access/permissions.js'
import { Fanout } from '../../server/src/fanout/fanout.js'
import { createIntake } from '../../server/src/intake/intake.js'
import { silent } from '../../server/src/observe/log.js'
import { createMetrics } from '../../server/src/observe/metrics.js'
import { Tap, type TapSpec } from '../../server/src/observe/tap.js'
import { Witness } from '../../server/src/observe/witness.js'
import { createProcessor } from '../../server/src/processor/processor.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { openStore, storeOptions } from '../../server/src/store/open.js'
import { Recorder } from '../fanout/stand.js'
import { eventually } from '../harness/eventually.js'
import { Committer, memoryStore, progress } from '../harness/store.js'
import { coder } from '../intake/people.js'

type Line = Record<string, unknown>

function openTap(perSecond = 1000, level = 'info') {
  const lines: Line[] = []
  const out = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().trimEnd().split('\n')) lines.push(JSON.parse(line) as Line)
      done()
    },
  })
  const metrics = createMetrics()
  return { tap: new Tap(perSecond, metrics, pino({ level }, out)), lines, metrics }
}

const spec = (more: Partial<TapSpec>): TapSpec => ({ id: 't', project: '*', sample: 1, values: false, until: Date.now() + 60_000, ...more })
const at = { partition: 0, offset: '1-0', batch: 1, events: 1 }

/** Counts how often a stage asks whether anybody watches. */
class Counting extends Witness {
  asked = 0
  constructor() {
    super(openTap().tap)
  }

  override get isOn(): boolean {
    this.asked++
    return false
  }

  override committed(): never {
    throw new Error('nobody watches')
  }

  override delivered(): never {
    throw new Error('nobody watches')
  }

  override admitted(): never {
    throw new Error('nobody watches')
  }
}

describe('while nothing is tapped', () => {
  test('a burst asks once, however many events, audiences and sockets are in it', async () => {
    const witness = new Counting()
    const store = await memoryStore()
    const fanout = new Fanout({ journal: store, partitions: 1, settings: settingsWith({ partitions: 1 }), metrics: createMetrics(), witness, log: silent })
    const lane = await fanout.lane('default')
    const committer = await Committer.of(store)
    const encoding = { name: 'test', encode: () => ({ packet: 'x', bytes: Buffer.from('x') }) }
    const outlets = Array.from({ length: 60 }, (_, place) => {
      const outlet = new Recorder(encoding)
      lane.open('default', outlet, undefined, [{ id: '0', topics: [`task:${place % 6}`], from: lane.tail.flushed }])
      return outlet
    })
    witness.asked = 0
    await committer.commit(...Array.from({ length: 300 }, (_, place) => progress(String(place % 6), 1)))
    await eventually(() => outlets.every(({ events }) => events.length === 50), 'the burst')
    expect(witness.asked).toBe(1)
    await fanout.shutdown()
    await store.close()
  })

  test('a publish asks once, accepted or refused, and a commit once for all its events', async () => {
    const [atDoor, atCommit] = [new Counting(), new Counting()]
    const settings = settingsWith({ partitions: 1 })
    const store = await openStore(storeOptions(settings))
    const processor = createProcessor({ store, settings, metrics: createMetrics(), witness: atCommit, log: silent, id: 'p' })
    const intake = await createIntake({ store, settings, metrics: createMetrics(), witness: atDoor, log: silent, worker: 'w', may })
    const inputs = [...Array.from({ length: 100 }, (_, place) => ({ id: `e${place}`, type: 'task.progress', data: { taskId: 'T', progress: 1 } })), { type: 'no.such' }]
    const publishing = intake.publish(coder, inputs, { ack: 'committed', client: 'c' })
    // All of them wait in the source stream: one batch.
    await eventually(async () => (await store.lag(0)) === 100, 'the entries')
    await processor.start()
    expect((await publishing).filter(({ ok }) => ok)).toHaveLength(100)
    expect([atDoor.asked, atCommit.asked]).toEqual([101, 1])
    await processor.stop()
    await intake.close()
    await store.close()
  })
})

describe('a tap', () => {
  test.each<[string, Partial<TapSpec>, boolean]>([
    ['of the event\'s topic', { topic: 'task:T-1' }, true],
    ['of its family', { topic: 'task:*' }, true],
    ['of another topic', { topic: 'task:T-2' }, false],
    ['of its type', { type: 'task.*' }, true],
    ['of another type', { type: 'agent.*' }, false],
    ['of its producer', { subject: 'test' }, true],
    ['of another producer', { subject: 'tes' }, false],
    ['of its project', { topic: '*', project: 'default' }, true],
    ['of another project (I6)', { topic: '*', project: 'other' }, false],
    ['of topic and type, of which one fits', { topic: 'task:T-1', type: 'agent.*' }, false],
    ['that ended', { topic: '*', until: Date.now() - 1 }, false],
    ['of a connection, which no event names', { connection: 'c1' }, false],
  ])('%s', (_, more, hit) => {
    const { tap, lines } = openTap()
    tap.turn([spec(more)])
    tap.committed(progress('T-1', 40), at)
    expect(lines.map(({ stage }) => stage)).toEqual(hit ? ['committed'] : [])
    tap.close()
  })

  test('says of data its shape, with values the masked values', () => {
    const { tap, lines } = openTap()
    tap.turn([spec({ id: 'shapes', topic: '*' }), spec({ id: 'values', topic: '*', values: true })])
    tap.committed(progress('T-1', 40, { data: { taskId: 'T-1', apiKey: 'hunter2' } }), at)
    expect(lines).toMatchObject([{ tap: 'shapes', data: { taskId: 'string(3)', apiKey: 'string(7)' } }, { tap: 'values', data: { taskId: 'T-1', apiKey: '***' } }])
    tap.close()
  })

  test('samples events, not lines: one that is told is told at every stage, in every process', () => {
    const told = [0, 1].map(() => {
      const { tap, lines } = openTap(10_000)
      tap.turn([spec({ topic: '*', sample: 0.25 })])
      for (let number = 0; number < 1000; number++) {
        const event = progress('T-1', 1, { id: `e-${number}` })
        tap.committed(event, at)
        tap.delivered(event, { partition: 0, offset: '1-0', sessions: 1, way: 'live' })
      }
      tap.close()
      return lines
    })
    const ids = (stage: string, lines: readonly Line[]) => lines.filter((line) => line['stage'] === stage).map(({ event }) => event)
    expect(ids('committed', told[0]!)).toEqual(ids('delivered', told[1]!))
    expect(ids('committed', told[0]!).length).toBeGreaterThan(200)
    expect(ids('committed', told[0]!).length).toBeLessThan(300)
  })

  test('writes at most so many lines a second, and one that tells how many it left out', async () => {
    const { tap, lines, metrics } = openTap(10)
    tap.turn([spec({ topic: '*' })])
    for (let number = 0; number < 500; number++) tap.committed(progress('T-1', 1), at)
    expect(lines).toHaveLength(10)
    await eventually(() => lines.length === 11, 'the count')
    expect(lines.at(-1)).toMatchObject({ leftOut: 490, limit: 10, setting: 'HUBBUB_TAP_LINES', msg: 'tap: lines were left out' })
    expect(await metrics.registry.metrics()).toMatch(/hubbub_tap_lines_total\{outcome="left_out"\} 490/)
    tap.close()
  })

  test('ends by itself, and is written though the log says less', async () => {
    const { tap, lines, metrics } = openTap(10, 'error')
    tap.turn([spec({ topic: '*', until: Date.now() + 200 })])
    expect(tap.isOn).toBe(true)
    tap.committed(progress('T-1', 1), at)
    expect(lines).toHaveLength(1)
    await eventually(() => !tap.isOn, 'its end', 2000)
    expect(await metrics.registry.metrics()).toMatch(/^hubbub_taps 0$/m)
  })

  test('of a connection or subject hears its messages, and what they were refused with', () => {
    const { tap, lines } = openTap()
    const witness = new Witness(tap)
    const [c1, c2] = ['c1', 'c2'].map((connection) => ({ connection, subject: 'coder-1', project: 'default' }))
    tap.turn([spec({ connection: 'c1' })])
    witness.message(c1!, 'subscribe', { topics: ['task:*'] })({ ok: true })
    witness.message(c1!, 'auth.refresh', { token: 'abc' })({ ok: false, error: { code: 'AUTH_INVALID_TOKEN', message: '', retryable: false } })
    witness.message(c2!, 'subscribe', {})({ ok: true })
    expect(lines).toMatchObject([
      { stage: 'message', connection: 'c1', subject: 'coder-1', message: 'subscribe', bytes: 21, data: { topics: ['array(1)', 'string(6)'] } },
      { stage: 'message', message: 'auth.refresh', data: { token: 'string(3)' } },
      { stage: 'refused', message: 'auth.refresh', code: 'AUTH_INVALID_TOKEN' },
    ])
    tap.turn([spec({ subject: 'coder-1', project: 'other' }), spec({ topic: '*' })])
    witness.message(c2!, 'subscribe', {})({ ok: true })
    expect(lines).toHaveLength(3)
    tap.close()
  })

  test('of everything is told what was refused without a topic, a tap of something is not', () => {
    const { tap, lines } = openTap()
    tap.turn([spec({ id: 'all', topic: '*' }), spec({ id: 'tasks', topic: 'task:*' }), spec({ id: 'theirs', topic: '*', project: 'default' })])
    tap.refusedInput({ type: 'no.such.type' }, 'other', '/users/ann', 'UNKNOWN_TYPE')
    expect(lines.map(({ tap: id }) => id)).toEqual(['all'])
    // Of a dead letter that does not say whose it is, no project's admin is told (I6).
    tap.buried(0, 'INVALID_MESSAGE', { event: 'no json' })
    expect(lines.map(({ tap: id }) => id)).toEqual(['all', 'all'])
    tap.close()
  })

  test('takes whatever was refused, and breaks on none of it', () => {
    const { tap, lines } = openTap()
    tap.turn([spec({ topic: '*' }), spec({ subject: 'mallory', values: true })])
    const witness = new Witness(tap)
    const failure = { code: 'INVALID_MESSAGE', message: '' } as Parameters<Witness['refused']>[3]
    const inputs: unknown[] = [null, 1, 'text', [], {}, { type: 7, topics: 'x' }, { type: 'task.progress', topics: [1, 'task:a\u001b[2J'], data: { taskId: {} } }, JSON.parse('{"type":"__proto__","data":{"__proto__":1}}')]
    for (const input of inputs) witness.refused(input, 'default', '/users/mallory', failure)
    tap.buried(0, 'INVALID_MESSAGE', { event: 'no json', identity: '[]' })
    expect(lines.filter(({ code }) => code === 'INVALID_MESSAGE').length).toBeGreaterThanOrEqual(inputs.length)
    // The escape is written out.
    expect(lines.flatMap(({ topics }) => topics).filter((topic) => String(topic).startsWith('task:'))).toEqual(['task:a\\u001b[2J', 'task:a\\u001b[2J'])
    tap.close()
  })
})

describe('what a session gets', () => {
  test('is told as live, and as behind where it is read from the journal', async () => {
    const { tap, lines } = openTap()
    const store = await memoryStore()
    const fanout = new Fanout({ journal: store, partitions: 1, settings: settingsWith({ partitions: 1 }), metrics: createMetrics(), witness: new Witness(tap), log: silent })
    const lane = await fanout.lane('default')
    const committer = await Committer.of(store)
    const encoding = { name: 'test', encode: () => ({ packet: 'x', bytes: Buffer.from('x') }) }
    const subscription = { id: '0', topics: ['task:T-1'], from: '0-0' }
    const begin = lane.tail.cursor
    const live = [1, 2].map(() => {
      const outlet = new Recorder(encoding)
      lane.open('default', outlet, undefined, [{ ...subscription, from: lane.tail.flushed }])
      return outlet
    })
    tap.turn([spec({ topic: 'task:T-1' })])
    await committer.commit(progress('T-1', 1, { id: 'one' }), progress('T-2', 1, { id: 'nobody' }))
    await eventually(() => live.every(({ events }) => events.length === 1), 'the event')
    const late = new Recorder(encoding)
    lane.open('default', late, begin, [subscription])
    await eventually(() => late.events.length === 1, 'the event, late')
    expect(lines).toMatchObject([{ stage: 'delivered', event: 'one', sessions: 2, way: 'live' }, { stage: 'delivered', event: 'one', sessions: 1, way: 'behind' }])
    tap.close()
    await fanout.shutdown()
    await store.close()
  })
})
