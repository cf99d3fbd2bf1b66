/** What one project does to others on the way in: rates of a project, and its share of what waits to be written. */
import { partitionOf, type Answer, type PublishResult } from '@hubbub/protocol'
import type { Identity } from '../../server/src/access/identity.js'
import { may } from '../../server/src/access/permissions.js'
import { mapDelivery } from '../../server/src/gateway/github/mapping.js'
import { createIntake, type Intake } from '../../server/src/intake/intake.js'
import { createProjectRates } from '../../server/src/intake/project-rates.js'
import { silent } from '../../server/src/observe/log.js'
import { createMetrics } from '../../server/src/observe/metrics.js'
import { readSettings, settingsWith } from '../../server/src/settings/read.js'
import type { Settings } from '../../server/src/settings/table.js'
import { eventually } from '../harness/eventually.js'
import { progress } from '../processor/entries.js'
import { withFault } from '../processor/fault.js'
import { openStage, type Stage } from '../processor/stage.js'
import { coder, engine, operator, viewer } from './people.js'

const COMMITTED = { ack: 'committed', client: 'c1' } as const
const of = (who: Identity, project: string): Identity => ({ ...who, project, projects: [project] })

let stage: Stage
let intake: Intake

beforeEach(async () => {
  stage = await openStage('memory')
})
afterEach(async () => {
  await intake?.close()
  await stage.close()
})

async function open(settings: Partial<Settings>, store = stage.store): Promise<void> {
  intake = await createIntake({ store, settings: { ...stage.settings, ...settings }, metrics: createMetrics(), log: silent, worker: 'w1', may })
}

const codes = (answers: Answer<PublishResult>[]) => answers.map((answer) => (answer.ok ? 'ok' : answer.error.code))
const events = (count: number, name: string) => Array.from({ length: count }, (_, at) => progress(`${name}${at}`, 't', 1))

describe('the rate of a project', () => {
  beforeEach(() => stage.processor('p1').start())

  test('is of all its clients together, says whose it is and when to come back, and is no other project\'s', async () => {
    await open({ projectRate: 10 })
    // In one turn, so that no time passes in which tokens would come back.
    const [first, second] = await Promise.all([intake.publish(coder, events(15, 'a'), { ...COMMITTED, client: 'c1' }), intake.publish(engine, events(15, 'b'), { ...COMMITTED, client: 'c2' })])
    expect(codes([...first, ...second])).toEqual([...Array<string>(20).fill('ok'), ...Array<string>(10).fill('RATE_LIMITED')])
    expect(second.at(-1)).toMatchObject({
      error: { retryable: true, details: { scope: 'project', project: 'default', retryAfterMs: expect.any(Number), limit: 10, unit: 'events/s', setting: 'HUBBUB_PROJECT_RATE' } },
    })
    expect(new Set(codes(await intake.publish(of(engine, 'other'), events(20, 'c'), COMMITTED)))).toEqual(new Set(['ok']))
  })

  test('may be another for a project by name, and none for one that is exempt', async () => {
    await open({ projectRate: 5, projectRates: 'large=10,free=0,constructor=1' })
    const taken = async (project: string) => codes(await intake.publish(of(engine, project), events(50, project), { ...COMMITTED, client: project })).filter((code) => code === 'ok').length
    expect([await taken('default'), await taken('large'), await taken('free'), await taken('constructor'), await taken('toString')]).toEqual([10, 20, 50, 2, 10])
  })

  test('is not used up by what is refused for its own sake', async () => {
    await open({ projectRate: 5 })
    expect(new Set(codes(await intake.publish(viewer, events(100, 'v'), { ...COMMITTED, client: 'v' })))).toEqual(new Set(['INSUFFICIENT_PERMISSIONS']))
    expect(new Set(codes(await intake.publish(engine, Array.from({ length: 100 }, () => ({ type: 'task.progress', data: {} })), { ...COMMITTED, client: 'e' })))).toEqual(new Set(['VALIDATION_ERROR']))
    expect(new Set(codes(await intake.publish(coder, events(10, 'a'), COMMITTED)))).toEqual(new Set(['ok']))
  })

  test('refuses no beat of an agent and nothing that the hub says, but counts them', async () => {
    await open({ projectRate: 5 })
    const beats = Array.from({ length: 15 }, () => ({ type: 'agent.heartbeat', data: {} }))
    const said = intake.announce(operator, { type: 'agent.registered', data: { agentId: 'coder' } })
    const [told, refused] = await Promise.all([intake.publish(coder, beats, COMMITTED), intake.publish(coder, events(1, 'a'), { ...COMMITTED, client: 'c2' })])
    expect([new Set(codes(told)), codes(refused)]).toEqual([new Set(['ok']), ['RATE_LIMITED']])
    await said
    // What was said is paid for: of ten tokens sixteen were taken, and five come back in a second.
    const [answer] = refused
    expect(answer && !answer.ok && Number(answer.error.details?.['retryAfterMs'])).toBeGreaterThan(1000)
    const delivery = mapDelivery('ping', 'd-1', { zen: 'Half measures are as bad as nothing at all.' })
    expect(await intake.deliver('default', 'https://github.com', delivery, { key: 'd-1', ttlMs: 60_000 })).toMatchObject({ duplicate: false })
  })

  test('refuses what stands behind a refused event of the same batch, so that none overtakes it (I1)', async () => {
    // Tokens come back meanwhile, and not enough of them for all, however long it takes.
    await open({ projectRate: 50 })
    const answers = codes(await intake.publish(engine, events(5000, 'a'), { ...COMMITTED, client: 'e' }))
    expect(answers).toContain('RATE_LIMITED')
    expect(answers.slice(answers.indexOf('RATE_LIMITED')).every((code) => code === 'RATE_LIMITED')).toBe(true)
  })

  test('is off unless it is set, and settings that are none are refused at the start', () => {
    const free = createProjectRates(settingsWith())
    for (let at = 0; at < 100_000; at++) free.take('default')
    for (const bad of ['a', 'a=', '=5', 'a=1,', 'a=-1', 'a=1.5', 'a b=1', 'a=1, b=2', '.a=1', '*=5', 'a=9999999999']) {
      expect(() => readSettings({ HUBBUB_PROJECT_RATES: bad })).toThrow('HUBBUB_PROJECT_RATES')
    }
  })
})

describe('while the store is away', () => {
  test('a project\'s flood leaves room for the others, and does not stand in front of them', async () => {
    let away = true
    const written: string[] = []
    const store = withFault(stage.store, {
      append: async (partition, batch) => {
        if (away) await eventually(() => !away, 'the store', 30_000, 5)
        written.push(...batch.map(({ identity }) => identity?.project ?? ''))
        return await stage.store.append(partition, batch)
      },
    })
    await open({ publishQueue: 2000, familyRates: '*=100000' }, store)
    await stage.processor('p1').start()
    const neighbour = Array.from({ length: 100 }, (_, at) => `p${at}`).find((name) => partitionOf(name, 4) === partitionOf('flood', 4))!
    const flood = intake.publish(of(engine, 'flood'), events(2500, 'f'), { ...COMMITTED, client: 'f' })
    const small = intake.publish(of(engine, neighbour), events(100, 's'), COMMITTED)
    away = false
    expect(new Set(codes(await small))).toEqual(new Set(['ok']))
    const answers = codes(await flood)
    expect([answers.filter((code) => code === 'ok').length, answers.filter((code) => code === 'UNAVAILABLE').length]).toEqual([1000, 1500])
    // One step of the flood may have been under way; the neighbour is through within the next.
    expect(written.lastIndexOf(neighbour)).toBeLessThan(1000)
    expect(written.filter((project) => project === 'flood')).toHaveLength(1000)
  })
})
