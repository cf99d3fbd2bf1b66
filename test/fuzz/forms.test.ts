/** What is written in one form is read back as what it was: CloudEvents, and the queries that the SDK makes of a request. */
import { fromCloudEvent, HubError, inputOfCloudEvent, toCloudEvent, type Filter, type HubEvent, type Since } from '@hubbub/protocol'
import { checkHistory, normalise, routeTopics } from '@hubbub/protocol/catalogue'
import { choiceOf } from '../../client-sdk/typescript/src/http-calls.js'
import { readHistoryQuery } from '../../server/src/gateway/http/history.js'
import { settingsWith } from '../../server/src/settings/read.js'
import type { Random } from '../faults/random.js'
import { EVENTS, HOSTILE_EVENTS } from './corpus.js'
import { outcomeOf } from './judge.js'
import { anyJson, mutateJson, strangeText } from './mutate.js'
import { often } from './seed.js'

const settings = settingsWith()
/** That are small enough to be taken. */
const STORABLE = [...EVENTS, ...HOSTILE_EVENTS.filter((event) => Buffer.byteLength(JSON.stringify(event)) < 60_000)]
const START = 1_772_359_200_000

function someStored(random: Random): HubEvent {
  const { metadata, ...event } = normalise({ ...random.pick(STORABLE), metadata: { ...(random.chance(0.5) && { correlationId: 'c-1' }), ...(random.chance(0.3) && { subject: 'a subject' }) } }, settings)
  return { ...event, id: `e${random.integer(0, 1e6)}`, timestamp: START + random.integer(0, 1e9), project: 'default', topics: routeTopics(event), metadata: { ...metadata, version: metadata.version ?? '1.0', source: '/x', recordedAt: START } }
}

describe('an event as a CloudEvent', () => {
  test('is the same event when it is read back, also from its text', () => {
    often(1500, someStored, (event) => {
      expect(fromCloudEvent(toCloudEvent(event))).toEqual(event)
      expect(fromCloudEvent(JSON.parse(JSON.stringify(toCloudEvent(event))))).toEqual(JSON.parse(JSON.stringify(event)))
    })
  })

  test('of anybody else\'s making is what somebody hands in, or INVALID_MESSAGE', () => {
    const codes = new Set<string>()
    often(3000, (random) => (random.chance(0.1) ? anyJson(random) : mutateJson(random, toCloudEvent(someStored(random)))), (cloud) => {
      const outcome = outcomeOf(() => inputOfCloudEvent(cloud))
      codes.add(outcome.taken ? 'taken' : outcome.code)
    })
    expect([...codes].sort()).toEqual(['INVALID_MESSAGE', 'taken'])
  })
})

describe('a request as a query', () => {
  test('asks for what was asked', () => {
    const text = (random: Random) => (random.chance(0.5) ? strangeText(random).replaceAll(/\p{Cs}/gu, '') : random.pick(['build', 'a b', '3', 'true', 'null', '"x"', '"', 'a,b', 'a&b=c', '+', '%41']))
    const someFilter = (random: Random): Filter => Object.fromEntries(Array.from({ length: random.integer(1, 3) }, (_, at) => [`f${at}.a`, random.chance(0.5) ? text(random) : random.pick([1, 0, -2.5, 1234567, true, false, null])]))
    const make = (random: Random) => ({
      topics: Array.from({ length: random.integer(1, 3) }, () => random.pick(['task:T-1', 'task:a,b', 'agent:*', '*', 'task:x&y=z', 'repo:octo/hub', 'task:é', 'task:+'])),
      ...(random.chance(0.5) && { types: ['task.*', 'agent.log'].slice(0, random.integer(1, 2)) }),
      since: random.pick(['all', '10m', 'ep.1-0', { last: 5 }] satisfies Since[]),
      ...(random.chance(0.7) && { filter: someFilter(random) }),
    })
    often(2000, make, (request) => {
      const asked = readHistoryQuery(new URLSearchParams(choiceOf(request).toString()))
      expect(asked).toEqual(request)
      const outcome = outcomeOf(() => checkHistory(asked, settings))
      if (!outcome.taken) expect(outcome.error).toBeInstanceOf(HubError)
    })
  })
})
