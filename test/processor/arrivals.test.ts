import { ORIGIN } from '@hubbub/protocol'
import { Arrivals } from '../../server/src/processor/arrivals.js'
import { StoreUnavailable, type Positions, type SourceEntry, type SourceName, type SourceReader, type Store } from '../../server/src/store/port.js'
import { memoryStore } from '../harness/store.js'
import { entryOf } from './entries.js'

const BEGINNING: Positions = { agents: ORIGIN, workflows: ORIGIN, github: ORIGIN, system: ORIGIN }

let store: Store
let arrivals: Arrivals
const errors: unknown[] = []

beforeEach(async () => {
  store = await memoryStore()
})
afterEach(async () => {
  await arrivals.close()
  await store.close()
})

function open(count: number, reader: SourceReader = store.openSource(0)): Arrivals {
  return new Arrivals(reader, BEGINNING, { count, blockMs: 50, onError: (error) => errors.push(error) })
}

async function write(stream: SourceName, count: number, bytes = 10): Promise<void> {
  await store.append(0, Array.from({ length: count }, (_, at) => entryOf(`${stream}-${at}-${'x'.repeat(bytes)}`, { stream })))
}

/** Takes all that is there, as an owner does. */
async function drain(expected: number, each = 10, bytes = 1_000_000): Promise<SourceEntry[][]> {
  const batches: SourceEntry[][] = []
  for (let total = 0; total < expected; ) {
    const batch = arrivals.take(each, bytes)
    if (batch.length === 0) await arrivals.more()
    else batches.push(batch)
    total += batch.length
  }
  return batches
}

function order(entries: readonly SourceEntry[], stream: SourceName): number[] {
  return entries.filter((entry) => entry.stream === stream).map(({ fields }) => Number(fields.event!.split('-')[1]))
}

describe('the arrivals of a partition', () => {
  test('come each once and in their stream\'s order, whatever backlog another stream has', async () => {
    await write('agents', 95)
    await write('github', 40)
    await write('system', 7)
    arrivals = open(10)
    const entries = (await drain(142)).flat()
    expect(order(entries, 'agents')).toEqual([...Array(95).keys()])
    expect(order(entries, 'github')).toEqual([...Array(40).keys()])
    expect(order(entries, 'system')).toEqual([...Array(7).keys()])
    const ids = entries.map(({ id }) => id)
    expect(ids.map((id) => Number(id.split('-')[0]))).toEqual(ids.map((id) => Number(id.split('-')[0])).sort((a, b) => a - b))
  })

  test('are cut at the limits, but one entry always goes', async () => {
    await write('agents', 6, 1000)
    arrivals = open(10)
    const batches = await drain(6, 10, 2600)
    expect(batches.map(({ length }) => length)).toEqual([2, 2, 2])
    await write('agents', 1, 9000)
    expect(await drain(1, 10, 2600)).toHaveLength(1)
  })

  test('are read on when the store comes back', async () => {
    let failures = 2
    const reader = store.openSource(0)
    arrivals = open(10, {
      read: (...of) => (failures-- > 0 ? Promise.reject(new StoreUnavailable('away')) : reader.read(...of)),
      close: () => reader.close(),
    })
    await write('agents', 3)
    expect((await drain(3)).flat()).toHaveLength(3)
    expect(errors).toHaveLength(2)
  })

  test('stop waiting when they are closed', async () => {
    arrivals = new Arrivals(store.openSource(0), BEGINNING, { count: 10, blockMs: 60_000, onError: () => {} })
    const waiting = arrivals.more()
    await arrivals.close()
    await waiting
    expect(arrivals.take(10, 1000)).toEqual([])
  })
})
