import { HubError, ORIGIN } from '@hubbub/protocol'
import { assemble as assembled, keysOf, owedAfter, type BatchFold, type Draft, type Repeat } from '../../server/src/processor/batch.js'
import { accept, refuse, type Verdict } from '../../server/src/processor/verdict.js'
import type { LedgerState, SourceEntry } from '../../server/src/store/port.js'

const positions = { agents: ORIGIN, workflows: '5-0', github: ORIGIN, system: ORIGIN }
const ledger: LedgerState = { fence: 'f', batch: 6, epoch: 'e', last: ORIGIN, positions }
const nothing: ReadonlyMap<string, string> = new Map()

function source(id: string): SourceEntry {
  return { stream: 'agents', id, fields: { event: '{}' } }
}

function good(id: string, seen: string, replyTo?: string): Verdict {
  const metadata = { version: '1.0', source: '/x', recordedAt: 1 }
  const event = { id: seen, type: 'custom.note', timestamp: 1, project: 'default', topics: ['project'], data: {}, metadata }
  return accept(source(id), seen, event, replyTo)
}

function bad(id: string, seen?: string): Verdict {
  return refuse(source(id), new HubError('VALIDATION_ERROR'), { seen })
}

/** For entries of which no state depends. */
const unfolded: BatchFold = {
  take: () => Promise.reject(new Error('nothing here is folded')),
  fire: () => Promise.reject(new Error('nothing here is due')),
  writes: () => undefined,
}

function assemble(from: LedgerState, verdicts: readonly Verdict[], remembered: ReadonlyMap<string, string>, owed: readonly Repeat[]): Promise<Draft> {
  return assembled(from, { due: [], verdicts, remembered, owed }, unfolded)
}

describe('a batch', () => {
  test('follows the ledger and ends behind the last entry of each stream', async () => {
    const { batch } = await assemble(ledger, [good('1-0', 'a'), bad('2-0'), good('3-0', 'b')], nothing, [])
    expect(batch).toMatchObject({ fence: 'f', number: 7, from: positions, to: { ...positions, agents: '3-0' } })
    expect(batch.appends.map(({ seen }) => seen)).toEqual(['a', 'b'])
    expect(batch.refusals).toHaveLength(1)
  })

  test('repeats the outcome of what was committed before to whoever waits, and appends it not again', async () => {
    const { batch, duplicates } = await assemble(ledger, [good('1-0', 'a', 'w1'), good('2-0', 'b')], new Map([['a', '9-1'], ['b', '9-2']]), [])
    expect(batch.appends).toEqual([])
    expect(batch.repeats).toEqual([{ seen: 'a', outcome: '=9-1', replyTo: 'w1' }])
    expect(duplicates).toBe(2)
  })

  test('takes a key once, and owes another worker the answer', async () => {
    const draft = await assemble(ledger, [good('1-0', 'a', 'w1'), good('2-0', 'a', 'w1'), good('3-0', 'a', 'w2')], nothing, [])
    expect(draft.batch.appends).toHaveLength(1)
    expect(draft.duplicates).toBe(2)
    expect(owedAfter(draft, ['9-5'])).toEqual([{ seen: 'a', outcome: '=9-5', replyTo: 'w2' }])
  })

  test('carries what an earlier batch owed', async () => {
    const owed = [{ seen: 'z', outcome: '=8-0', replyTo: 'w2' }]
    expect((await assemble(ledger, [], nothing, owed)).batch).toMatchObject({ to: positions, repeats: owed })
  })

  test('judges a key anew that was refused before', async () => {
    const { batch } = await assemble(ledger, [good('1-0', 'a')], new Map([['a', '!VALIDATION_ERROR once']]), [])
    expect(batch.appends).toHaveLength(1)
  })

  test.each([
    ['before in this batch', [good('1-0', 'a'), bad('2-0', 'a')], nothing],
    ['behind in this batch', [bad('1-0', 'a'), good('2-0', 'a')], nothing],
    ['earlier', [bad('1-0', 'a')], new Map([['a', '9-1']])],
  ])('never remembers as refused a key that was committed %s (I3)', async (_, verdicts, remembered) => {
    const { batch } = await assemble(ledger, verdicts, remembered, [])
    expect(batch.refusals).toHaveLength(1)
    expect(batch.refusals[0]!.seen).toBeUndefined()
    expect(batch.refusals[0]!.dead).toBeDefined()
  })

  test('asks for each key once', () => {
    expect(keysOf([good('1-0', 'a'), bad('2-0'), bad('3-0', 'b'), good('4-0', 'a')])).toEqual(['a', 'b'])
  })
})
