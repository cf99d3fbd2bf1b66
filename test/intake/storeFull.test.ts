import { createAppender, type Appender } from '../../server/src/intake/appender.js'
import { silent } from '../../server/src/observe/log.js'
import { hubErrorOf, StoreFull } from '../../server/src/store/failure.js'
import { StoreUnavailable, type SourceAppend } from '../../server/src/store/port.js'
import { eventually } from '../harness/eventually.js'

let appender: Appender
let written: string[]
/** What the store answers to one append after another; at the end of it takes all. */
let answers: (() => Promise<never>)[]
let asked: number

const full = () => Promise.reject(new StoreFull('append: OOM'))
const away = () => Promise.reject(new StoreUnavailable('append: no answer'))

beforeEach(() => {
  written = []
  answers = []
  asked = 0
  const append = async (_partition: number, batch: readonly SourceAppend[]) => {
    asked++
    await answers.shift()?.()
    written.push(...batch.map(({ event }) => event))
    return batch.map((_entry, at) => `1-${at}`)
  }
  appender = createAppender({ streams: { append }, queue: 1000, timeoutMs: 1000, log: silent })
})
afterEach(() => appender.close())

function add(event: string, project = 'default'): Promise<string> {
  const identity = { source: '/agents/a', project }
  return appender.append(0, { stream: 'agents', event, identity }, event.length).then(() => 'appended', (error: { code: string }) => error.code)
}

/** So that what was added is on its way. */
async function sent(): Promise<void> {
  const before = asked
  await eventually(() => asked > before, 'an append')
}

describe('when the store has no room, a publish', () => {
  test('is refused at once, with a code that says so and when to come again', async () => {
    answers = [full]
    const begun = performance.now()
    const refused = await appender.append(0, { stream: 'agents', event: 'a' }, 1).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'STORE_FULL', retryable: true, status: 503, details: { retryAfterMs: 500 } })
    expect(performance.now() - begun).toBeLessThan(500)
  })

  test('is not overtaken by what stands behind it (I1)', async () => {
    let refuse!: () => void
    answers = [() => new Promise((_resolve, reject) => (refuse = () => reject(new StoreFull('append: OOM'))))]
    const first = add('a')
    await sent()
    const behind = [add('b'), add('c', 'other')]
    refuse()
    expect(await Promise.all([first, ...behind])).toEqual(Array(3).fill('STORE_FULL'))
    expect(await add('d')).toBe('STORE_FULL')
    expect(written).toEqual([])
  })

  test('asks the store twice a second, not once a publish, and is taken when there is room', async () => {
    answers = Array.from({ length: 2 }, () => full)
    const codes: string[] = []
    await eventually(async () => {
      codes.push(await add(`n${codes.length}`))
      return codes.at(-1) === 'appended'
    }, 'room', 5000, 5)
    expect(codes.length).toBeGreaterThan(20)
    expect(asked).toBe(3)
    expect(written).toEqual([`n${codes.length - 1}`])
  })

  test('that may have been written before is insisted on, and not called refused', async () => {
    answers = [away, full, full]
    expect(await add('a')).toBe('appended')
    expect(written).toEqual(['a'])
    answers = [away, ...Array.from({ length: 100 }, () => full)]
    expect(await add('b')).toBe('OUTCOME_UNKNOWN')
  })

  test('is refused by whatever else asks the store', () => {
    expect(hubErrorOf(new StoreFull('save: OOM')).toJSON()).toMatchObject({ code: 'STORE_FULL', retryable: true })
  })
})
