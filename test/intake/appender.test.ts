import { ORIGIN } from '@hubbub/protocol'
import { createAppender, type Appender } from '../../server/src/intake/appender.js'
import { silent } from '../../server/src/observe/log.js'
import { StoreUnavailable, type SourceAppend, type SourceStreams, type Store } from '../../server/src/store/port.js'
import { memoryStore } from '../harness/store.js'

let store: Store
let appender: Appender

beforeEach(async () => {
  store = await memoryStore({ partitions: 2 })
})
afterEach(async () => {
  await appender.close()
  await store.close()
})

function open(streams: Pick<SourceStreams, 'append'>, queue = 1000, timeoutMs = 5000): Appender {
  return (appender = createAppender({ streams, queue, timeoutMs, log: silent }))
}

function add(event: string, partition = 0): Promise<string> {
  return appender.append(partition, { stream: 'agents', event }, event.length).then(
    (id) => (id === null ? 'once' : 'appended'),
    (error: { code: string }) => error.code,
  )
}

async function written(partition = 0): Promise<string[]> {
  const reader = store.openSource(partition)
  const entries = await reader.read({ agents: ORIGIN, workflows: ORIGIN, github: ORIGIN, system: ORIGIN }, 10_000, 0)
  await reader.close()
  return entries.map(({ fields }) => fields.event!)
}

/** A gate that appends wait at, and the batches that came to it. */
function gated() {
  const batches: (readonly SourceAppend[])[] = []
  let unlock!: () => void
  const gate = new Promise<void>((resolve) => (unlock = resolve))
  const append: SourceStreams['append'] = async (partition, batch) => {
    batches.push(batch)
    await gate
    return store.append(partition, batch)
  }
  return { append, batches, open: unlock }
}

describe('appending', () => {
  test('gathers in one step what comes together, and in the next what comes meanwhile', async () => {
    const gate = gated()
    open(gate)
    const first = ['a', 'b', 'c'].map((event) => add(event))
    await Promise.resolve()
    await Promise.resolve()
    const second = ['d', 'e'].map((event) => add(event))
    gate.open()
    await Promise.all([...first, ...second])
    expect(gate.batches.map((batch) => batch.map(({ event }) => event))).toEqual([['a', 'b', 'c'], ['d', 'e']])
    expect(await written()).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('cuts a step at 500 entries and at 1 MB', async () => {
    const gate = gated()
    gate.open()
    open(gate, 10_000)
    const small = Array.from({ length: 1100 }, (_, at) => add(`small-${at}`))
    await Promise.all([...small, ...Array.from({ length: 5 }, () => add('x'.repeat(400_000)))])
    expect(gate.batches.map(({ length }) => length)).toEqual([500, 500, 102, 2, 1])
    expect((await written()).slice(0, 1100)).toEqual(Array.from({ length: 1100 }, (_, at) => `small-${at}`))
  })

  test('retries what failed before anything behind it, so that the order holds (I1)', async () => {
    let failures = 3
    open({
      append(partition, batch) {
        if (failures-- > 0) return Promise.reject(new StoreUnavailable('away'))
        return store.append(partition, batch)
      },
    })
    const early = ['a', 'b'].map((event) => add(event))
    await Promise.resolve()
    await Promise.resolve()
    const late = ['c', 'd'].map((event) => add(event))
    expect(await Promise.all([...early, ...late])).toEqual(Array(4).fill('appended'))
    expect(await written()).toEqual(['a', 'b', 'c', 'd'])
  })

  test('does not let one partition wait for another', async () => {
    const append: SourceStreams['append'] = (partition, batch) => (partition === 0 ? Promise.reject(new StoreUnavailable('away')) : store.append(partition, batch))
    open({ append }, 1000, 60_000)
    const stuck = add('a', 0)
    expect(await add('b', 1)).toBe('appended')
    await appender.close()
    expect(await stuck).toBe('OUTCOME_UNKNOWN')
  })

  test('gives up in time: unknown what was tried, unavailable what was not', async () => {
    open({ append: () => Promise.reject(new StoreUnavailable('away')) }, 1000, 300)
    const tried = add('a')
    await Promise.resolve()
    await Promise.resolve()
    const queued = add('b')
    expect(await Promise.all([tried, queued])).toEqual(['OUTCOME_UNKNOWN', 'UNAVAILABLE'])
  })

  test('gives up the events of one call as one, so that repeating them keeps their order (I1)', async () => {
    const { now } = performance
    let time = 0
    performance.now = () => time++
    try {
      open({
        append(partition, batch) {
          if (time > 100) return store.append(partition, batch)
          // The first of them would be too old by now, the last would not.
          time = 102
          return Promise.reject(new StoreUnavailable('away'))
        },
      }, 1000, 100)
      expect(await Promise.all(['a', 'b', 'c', 'd', 'e'].map((event) => add(event)))).toEqual(Array(5).fill('OUTCOME_UNKNOWN'))
    } finally {
      performance.now = now
    }
  })

  test('refuses at once what finds the queue full, and takes more when it has emptied', async () => {
    const gate = gated()
    // One project alone holds half of what all may.
    open(gate, 6)
    const held = ['a', 'b', 'c'].map((event) => add(event))
    expect(await add('d')).toBe('UNAVAILABLE')
    gate.open()
    expect(await Promise.all(held)).toEqual(Array(3).fill('appended'))
    expect(await add('e')).toBe('appended')
  })

  test('answers a failure that no retry mends without holding up what follows', async () => {
    let first = true
    open({
      append(partition, batch) {
        if (!first) return store.append(partition, batch)
        first = false
        return Promise.reject(new Error('wrong kind of key'))
      },
    })
    expect(await add('a')).toBe('OUTCOME_UNKNOWN')
    expect(await add('b')).toBe('appended')
  })

  test('says when the mark of a delivery had been used', async () => {
    open(store)
    const once = { key: 'd1', ttlMs: 60_000 }
    const deliver = () => appender.append(0, { stream: 'github', event: 'x', once }, 1)
    expect(await deliver()).toEqual(expect.any(String))
    expect(await deliver()).toBeNull()
  })
})
