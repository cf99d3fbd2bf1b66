/** The way in: of anything a canonical event that its schema takes, or a refusal; source entries: an event of the journal, or a dead letter with its reason (I5). */
import { isTopic, type NormalEvent } from '@hubbub/protocol'
import { CATALOGUE, findEntry, MAX_TOPICS_OF_EVENT, normalise, routeTopics, weigh } from '@hubbub/protocol/catalogue'
import * as fc from 'fast-check'
import { silent } from '../../server/src/observe/log.js'
import { createDecoder } from '../../server/src/processor/decode.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { SOURCES, type SourceEntry } from '../../server/src/store/port.js'
import type { Random } from '../faults/random.js'
import { EVENTS, someEvent } from './corpus.js'
import { outcomeOf } from './judge.js'
import { anyBytes, anyJson, mutateJson, mutateText, nested, strangeText } from './mutate.js'
import { always, often } from './seed.js'

const settings = settingsWith({ partitions: 1 })

/** What every subscriber may count on. */
function requireValid(event: NormalEvent): void {
  const entry = findEntry(event.type)
  expect([entry !== undefined, entry?.check(event.data)]).toEqual([true, undefined])
  const topics = routeTopics(event)
  expect([topics.every(isTopic), topics.length >= (event.type === 'task.delegate' || event.type === 'execution.cancel' ? 0 : 1), topics.length <= MAX_TOPICS_OF_EVENT]).toEqual([true, true, true])
}

/** Canonical is what stays as it is: the processor reads again what intake read. */
function requireCanonical(event: NormalEvent): void {
  requireValid(event)
  if (JSON.stringify(normalise(JSON.parse(JSON.stringify(event)), settings)) !== JSON.stringify(event)) throw new Error('read again, it is another event')
}

describe('what producers send', () => {
  test('whole events of every type are taken', () => {
    for (const event of EVENTS) requireCanonical(normalise(event, settings))
    expect(EVENTS.length).toBe(CATALOGUE.filter(({ by }) => by === 'anyone').length)
  })

  test('of every event, mutated, comes a canonical event that its schema takes and that stays as it is, or a refusal', () => {
    const codes = new Map<string, number>()
    often(6000, someEvent, (input) => {
      const before = JSON.stringify(input)
      const outcome = outcomeOf(() => normalise(input, settings))
      expect(JSON.stringify(input) === before).toBe(true)
      codes.set(outcome.taken ? 'taken' : outcome.code, 1 + (codes.get(outcome.taken ? 'taken' : outcome.code) ?? 0))
      if (outcome.taken) requireCanonical(outcome.value)
    })
    // The generator reaches every end.
    expect([...codes.keys()]).toEqual(expect.arrayContaining(['taken', 'INVALID_MESSAGE', 'UNKNOWN_TYPE', 'VALIDATION_ERROR', 'INVALID_TOPIC']))
    expect(Math.min(codes.get('taken')!, codes.get('VALIDATION_ERROR')!)).toBeGreaterThan(300)
  })

  test('of values that no JSON holds comes a refusal, too', () => {
    const odd = fc.oneof(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withSparseArray: true, withNullPrototype: true, withBoxedValues: true }), fc.constantFrom(Symbol('x'), () => 1, new Date(), Buffer.from('x')))
    always(3000, fc.tuple(odd, odd), ([data, field]) => {
      for (const input of [data, { type: 'custom.x', data }, { type: 'task.progress', data: { taskId: 'T', progress: 1, more: field } }, { type: 'custom.x', id: field, data: {} }]) {
        const outcome = outcomeOf(() => normalise(input, settings))
        if (outcome.taken) requireCanonical(outcome.value)
      }
    })
  })

  test('cost no more steps than their limits allow', () => {
    // Counted by a getter of each element: what lies behind the limit is not even looked at.
    let looked = 0
    const list = new Proxy(Array.from({ length: 1_000_000 }, () => 'xx'), { get: (target, name, self) => (typeof name === 'string' && /^\d+$/.test(name) && looked++, Reflect.get(target, name, self) as unknown) })
    expect(outcomeOf(() => normalise({ type: 'custom.bulk', data: { list } }, settings))).toMatchObject({ taken: false, code: 'PAYLOAD_TOO_LARGE' })
    expect(looked).toBeLessThanOrEqual(settings.maxEventBytes)
    for (const isList of [true, false]) expect(outcomeOf(() => normalise({ type: 'custom.deep', data: { deep: nested(100_000, isList) } }, settings))).toMatchObject({ taken: false, code: 'VALIDATION_ERROR' })
  })

  test('are weighed as their JSON is long', () => {
    often(3000, (random) => anyJson(random, 4), (value) => {
      const outcome = outcomeOf(() => weigh(value, { maxBytes: 1_000_000, maxDepth: 32 }))
      if (outcome.taken) expect(outcome.value.bytes).toBe(Buffer.byteLength(JSON.stringify(value)))
    })
  })
})

const decode = createDecoder({ partition: 0, partitions: 1, settings, log: silent })
const IDENTITY = { source: '/agents/coder', project: 'default', agentId: 'coder' }

/** As anybody with access to Redis may write it. */
function someEntry(random: Random): SourceEntry {
  const fields: Record<string, string> = {}
  const choice = random.integer(0, 9)
  if (choice > 0) fields['event'] = choice === 1 ? strangeText(random) : choice === 2 ? anyBytes(random).toString('latin1') : JSON.stringify(someEvent(random)) ?? 'undefined'
  if (choice === 3 && fields['event']) fields['event'] = mutateText(random, fields['event'])
  if (random.chance(0.6)) fields['identity'] = random.chance(0.6) ? JSON.stringify(IDENTITY) : random.chance(0.6) ? JSON.stringify(mutateJson(random, { ...IDENTITY, hub: true })) ?? '' : strangeText(random)
  if (random.chance(0.3)) fields['replyTo'] = strangeText(random)
  if (random.chance(0.3)) fields['worker'] = strangeText(random)
  if (random.chance(0.2)) fields[random.pick(['__proto__', 'constructor', 'extra'])] = strangeText(random)
  return { stream: random.pick(SOURCES), id: `17000000000${random.integer(10, 99)}-${random.integer(0, 9)}`, fields }
}

describe('source entries', () => {
  test('of any fields become a valid event, or a dead letter that says why', () => {
    let events = 0
    often(5000, someEntry, (entry) => {
      const verdict = decode(entry)
      expect(verdict.entry).toBe(entry)
      if ('refusal' in verdict) {
        const { dead, outcome } = verdict.refusal
        expect(dead).toMatchObject({ stream: entry.stream, id: entry.id, fields: entry.fields })
        expect([dead!.code !== 'INTERNAL_ERROR', dead!.message.length > 0, dead!.message.length <= 500, outcome.startsWith(`!${dead!.code} `)]).toEqual([true, true, true, true])
        return
      }
      events++
      const { event, append, seen } = verdict
      requireValid(event)
      expect([typeof event.id, event.project.length > 0, event.metadata.source.length > 0, Number.isSafeInteger(event.timestamp), Number.isSafeInteger(event.metadata.recordedAt)]).toEqual(['string', true, true, true, true])
      expect([append.seen, append.event === '' || append.event === JSON.stringify(event)]).toEqual([seen, true])
      // What a raw writer says of itself does not count.
      if (entry.stream === 'workflows') expect([event.metadata.source, verdict.replyTo]).toEqual(['/streams/workflows', undefined])
    })
    expect(events).toBeGreaterThan(500)
  })
})
