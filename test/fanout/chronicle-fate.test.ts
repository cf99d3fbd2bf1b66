/** Every rule of the table, one after the other, from chronicles that were written as a lane writes them. */
import type { HubEvent } from '@hubbub/protocol'
import type { Identity } from '../../server/src/access/identity.js'
import { Chronicle } from '../../server/src/fanout/chronicle.js'
import { fateOf, type Replaced } from '../../server/src/fanout/chronicle-fate.js'
import type { Subscription } from '../../server/src/fanout/subscription.js'
import { event } from './stand.js'

const viewer: Identity = { subject: 'ann', role: 'viewer', project: 'default', projects: ['default'], permissions: ['subscribe:agent:*'], via: 'none' }
/** The event that is asked about stands at 100-0. */
const AT = '100-0'
const asked: HubEvent = { ...event('e', 'T'), data: { taskId: 'T', progress: 50, status: 'b' } }

interface Told {
  chronicle: Chronicle
  /** Moves the session's place. */
  at(offset: string): void
  subscribe(from: string, more?: Partial<Subscription>): Subscription
}

function session(began: string, { most = 8, wire = 'socketio' as const, identity = undefined as Identity | undefined } = {}): Told {
  const placed = { given: began, confirmed: undefined }
  const chronicle = new Chronicle({ session: 's', wire, identity }, 'default', 'test', placed, began, most)
  let count = 0
  return {
    chronicle,
    at: (offset) => (placed.given = offset),
    subscribe(from, more = {}) {
      const subscription = { id: `sub-${count++}`, topics: ['task:T'], from, ...more }
      chronicle.subscribed(subscription)
      return subscription
    },
  }
}

const gap = (from: string, to: string) => ({ from: `e.${from}`, to: `e.${to}`, reason: 'session' as const })

/** What happened, and what comes of it. */
const CASES: [what: string, fate: string, given: boolean | undefined, (one: Told) => void, began?: string, replaced?: Replaced][] = [
  ['a live session that took it', 'live', true, (one) => (one.subscribe('50-0'), one.at('200-0'))],
  ['one that ended after it', 'live', true, (one) => (one.subscribe('50-0'), one.at('200-0'), one.chronicle.end())],
  ['one that unsubscribed after it', 'live', true, (one) => { const sub = one.subscribe('50-0'); one.at('100-0'); one.chronicle.unsubscribed(sub, 'unsubscribed'); one.at('200-0') }],
  ['one that came back and read it', 'caught-up', true, (one) => { one.subscribe('50-0'); one.chronicle.fellBehind('resume'); one.at('200-0'); one.chronicle.isLive() }, '60-0'],
  ['one that is reading and is past it', 'caught-up', true, (one) => { one.subscribe('50-0'); one.chronicle.fellBehind('resume'); one.at('100-0') }, '60-0'],
  ['one whose journal jumped', 'caught-up', true, (one) => { one.subscribe('50-0'); one.at('90-0'); one.chronicle.fellBehind('jump'); one.at('200-0'); one.chronicle.isLive() }],
  ['one whose socket was slow', 'slow', true, (one) => { one.subscribe('50-0'); one.at('90-0'); one.chronicle.fellBehind('slow'); one.at('200-0'); one.chronicle.isLive() }],
  ['one that was slow before, and live again', 'live', true, (one) => { one.subscribe('50-0'); one.at('70-0'); one.chronicle.fellBehind('slow'); one.at('90-0'); one.chronicle.isLive(); one.at('200-0') }],
  ['one whose socket is slow still', 'catching-up', false, (one) => { one.subscribe('50-0'); one.at('90-0'); one.chronicle.fellBehind('slow') }],
  ['one whose worker is behind', 'catching-up', false, (one) => (one.subscribe('50-0'), one.at('99-9'))],
  ['one for which it is gathered', 'catching-up', false, (one) => (one.subscribe('50-0', { pace: { ms: 500, latestOnly: false } }), one.at('99-9'))],
  ['one that asked for the latest, and got it', 'live', true, (one) => (one.subscribe('50-0', { pace: { ms: 500, latestOnly: true } }), one.at('200-0')), undefined, 'no'],
  ['one that asked for the latest, and got a later one', 'superseded', false, (one) => (one.subscribe('50-0', { pace: { ms: 500, latestOnly: true } }), one.at('200-0')), undefined, 'yes'],
  ['one that asked for the past', 'caught-up', true, (one) => { const sub = one.subscribe('150-0'); one.chronicle.answered(sub, '20-0', '150-0', sub.id); one.at('200-0') }],
  ['one that asked for a page of the past only', 'caught-up', true, (one) => { one.chronicle.answered({ topics: ['*'] }, '20-0', '150-0'); one.at('200-0') }],
  ['one that asked for the past of something else', 'not-subscribed', false, (one) => { one.chronicle.answered({ topics: ['task:U'] }, '20-0', '150-0'); one.at('200-0') }],
  ['one that was told a gap', 'gap', false, (one) => { one.chronicle.told(gap('80-0', '150-0')); one.subscribe('150-0'); one.at('200-0') }],
  ['one that was told a gap before it', 'live', true, (one) => { one.subscribe('50-0'); one.chronicle.told(gap('60-0', '99-0')); one.at('200-0') }],
  ['one that was told a gap, and asked for the past behind it', 'caught-up', true, (one) => { one.chronicle.told(gap('80-0', '150-0')); one.chronicle.answered(one.subscribe('150-0'), '80-0', '150-0'); one.at('200-0') }],
  ['one that never subscribed', 'not-subscribed', false, (one) => one.at('200-0')],
  ['one that subscribed to something else', 'not-subscribed', false, (one) => (one.subscribe('50-0', { topics: ['task:U'] }), one.at('200-0'))],
  ['one that had unsubscribed', 'not-subscribed', false, (one) => { const sub = one.subscribe('50-0'); one.at('90-0'); one.chronicle.unsubscribed(sub, 'unsubscribed'); one.at('200-0') }],
  ['one that subscribed later', 'subscribed-later', false, (one) => (one.subscribe('100-0'), one.at('200-0'))],
  ['one that connected and subscribed later', 'subscribed-later', false, (one) => (one.subscribe('150-0'), one.at('200-0')), '120-0'],
  ['one that wants other types', 'filtered', false, (one) => (one.subscribe('50-0', { types: ['task.completed', 'agent.*'] }), one.at('200-0'))],
  ['one that filters it out', 'filtered', false, (one) => (one.subscribe('50-0', { filter: { taskId: 'T', status: 'a' } }), one.at('200-0'))],
  ['one of two subscriptions of which one takes it', 'live', true, (one) => (one.subscribe('50-0', { types: ['x'] }), one.subscribe('60-0'), one.at('200-0'))],
  ['one whose connection had ended', 'disconnected', false, (one) => (one.subscribe('50-0'), one.at('90-0'), one.chronicle.end())],
  ['one that ended while it was behind', 'disconnected', false, (one) => { one.subscribe('50-0'); one.at('90-0'); one.chronicle.fellBehind('slow'); one.at('99-0'); one.chronicle.end() }],
  ['one that came back holding it', 'expired', true, (one) => (one.subscribe('50-0'), one.at('200-0')), '150-0'],
  ['one of a branch of the journal that was lost', 'caught-up', true, (one) => { one.subscribe('150-0'); one.chronicle.fellBehind('jump'); one.chronicle.rebased('90-0'); one.at('300-0'); one.chronicle.isLive() }, '160-0'],
]

test.each(CASES)('%s: %s', (_, fate, given, happens, began = '10-0', replaced = 'no') => {
  const one = session(began)
  happens(one)
  const found = fateOf(one.chronicle, { offset: AT, event: asked }, replaced)
  expect([found.fate, found.given]).toEqual([fate, given])
  expect(found.why).toMatch(/^[A-Z][^\n]+\.$/)
})

test('says what would have to be otherwise', () => {
  const filtered = session('10-0')
  filtered.subscribe('50-0', { filter: { taskId: 'T', status: 'a' } })
  filtered.at('200-0')
  expect(fateOf(filtered.chronicle, { offset: AT, event: asked }).why).toContain('status = "a"')
  const others = session('10-0')
  others.subscribe('50-0', { types: ['task.completed'] })
  others.at('200-0')
  expect(fateOf(others.chronicle, { offset: AT, event: asked }).why).toContain('only for the types task.completed, and this is task.progress')
})

test('a credential that grants none of the topics', () => {
  const one = session('10-0', { identity: viewer })
  one.at('200-0')
  expect(fateOf(one.chronicle, { offset: AT, event: asked })).toMatchObject({ fate: 'no-permission', given: false, why: expect.stringContaining('subscribe:task:T') as string })
})

test('a subscription that a new credential took away', () => {
  const one = session('10-0')
  const sub = one.subscribe('50-0')
  one.at('90-0')
  one.chronicle.unsubscribed(sub, 'permission')
  one.at('200-0')
  expect(fateOf(one.chronicle, { offset: AT, event: asked })).toMatchObject({ fate: 'no-permission', subscriptionId: sub.id })
})

test('what is not remembered is not guessed', () => {
  const one = session('10-0', { most: 2 })
  for (const at of ['90-0', '110-0', '130-0', '150-0']) {
    const sub = one.subscribe(at)
    one.at(`${at.slice(0, -2)}-5`)
    one.chronicle.unsubscribed(sub, 'unsubscribed')
  }
  one.at('200-0')
  expect(one.chronicle.spans).toHaveLength(2)
  expect(fateOf(one.chronicle, { offset: AT, event: asked })).toMatchObject({ fate: 'expired' })
  expect(fateOf(one.chronicle, { offset: '130-3', event: asked })).toMatchObject({ fate: 'live' })
})

test('open subscriptions are never forgotten', () => {
  const one = session('10-0', { most: 1 })
  for (let n = 0; n < 20; n++) one.subscribe('50-0', { topics: [`task:${n}`] })
  one.subscribe('50-0')
  one.at('200-0')
  expect(one.chronicle.spans).toHaveLength(21)
  expect(fateOf(one.chronicle, { offset: AT, event: asked })).toMatchObject({ fate: 'live' })
})

test('of what the journal no longer has only a gap is told', () => {
  const one = session('10-0')
  one.subscribe('5-0')
  one.chronicle.told(gap('10-0', '150-0'))
  one.at('200-0')
  expect(fateOf(one.chronicle, { offset: AT })).toMatchObject({ fate: 'gap', given: false })
  expect(fateOf(one.chronicle, { offset: '170-0' })).toMatchObject({ fate: 'expired' })
})

test('a receiver that confirms has what it confirmed', () => {
  const placed = { given: '200-0', confirmed: '90-0' as string | undefined }
  const chronicle = new Chronicle({ session: 's', wire: 'sink' }, 'default', 'test', placed, '10-0', 8)
  chronicle.subscribed({ id: 'a', topics: ['task:T'], from: '10-0' })
  expect(fateOf(chronicle, { offset: AT, event: asked })).toMatchObject({ fate: 'catching-up', given: false, why: expect.stringContaining('receiver') as string })
  placed.confirmed = '100-0'
  expect(fateOf(chronicle, { offset: AT, event: asked })).toMatchObject({ fate: 'live', given: true })
})
