import { behind, custom, cut, forgotten, gap, hears, hearsLast, history, numbers, progress, publish, subscribe, unsubscribe, type Case } from '../steps.js'

const MANY = numbers('n', 300)
const sent = (...ids: string[]) => publish('bob', ...ids.map((id) => custom(id, 'thread:1')))

/** Cuts, gaps, and what is gathered. */
export const RETURN: Case[] = [
  {
    name: 'who was cut off misses nothing and hears nothing twice',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), sent('a', 'b'), hears('ann', 'a', 'b'), cut('ann'), sent('c', 'd'),
      hears('ann', 'c', 'd'), sent('e'), hears('ann', 'e'),
    ],
  },
  {
    name: 'who had heard nothing before it was cut off misses nothing',
    steps: [subscribe('ann', { topics: ['thread:1'] }), cut('ann'), sent('a', 'b'), hears('ann', 'a', 'b')],
  },
  {
    name: 'who is cut off three times misses nothing',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), sent('a'), hears('ann', 'a'), cut('ann'), sent('b'), hears('ann', 'b'), cut('ann'),
      sent('c'), hears('ann', 'c'), cut('ann'), sent('d'), hears('ann', 'd'),
    ],
  },
  {
    name: 'what comes in a burst while somebody is cut off comes whole and in order',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), sent(...MANY.slice(0, 100)), cut('ann'), sent(...MANY.slice(100, 200)), cut('ann'),
      sent(...MANY.slice(200)), hears('ann', ...MANY),
    ],
  },
  {
    name: 'who comes back has all its subscriptions',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), subscribe('ann', { topics: ['task:1'] }), sent('a'), hears('ann', 'a'), cut('ann'),
      publish('bob', progress('b', '1'), custom('c', 'thread:1'), progress('d', '2')), hears('ann', 'b', 'c'),
    ],
  },
  {
    name: 'who comes back has not what it had unsubscribed',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), subscribe('ann', { topics: ['thread:2'] }), sent('a'), hears('ann', 'a'),
      unsubscribe('ann', 'thread:1'), cut('ann'), sent('b'), publish('bob', custom('c', 'thread:2')), hears('ann', 'c'),
    ],
  },
  {
    name: 'who comes back keeps to its types',
    steps: [
      subscribe('ann', { topics: ['task:1'], types: ['task.*'] }), publish('bob', progress('a', '1')), hears('ann', 'a'), cut('ann'),
      publish('bob', custom('b', 'task:1'), progress('c', '1')), hears('ann', 'c'),
    ],
  },
  {
    name: 'who was cut off while it read the past goes on where it was',
    steps: [
      sent(...MANY), subscribe('ann', { topics: ['thread:1'], since: 'all' }), cut('ann'), sent('last'), hears('ann', ...MANY, 'last'),
    ],
  },
  {
    name: 'a cursor is good for another connection',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), sent('a', 'b'), hears('ann', 'a', 'b'),
      subscribe('eve', { topics: ['thread:1'], since: behind('a') }), sent('c'), hears('eve', 'b', 'c'), hears('ann', 'c'),
    ],
  },

  {
    name: 'a cursor that the journal no longer reaches is told as a gap, and what is left follows',
    forgetful: true,
    steps: [
      sent('a', 'b'), forgotten('a'), subscribe('ann', { topics: ['thread:1'], since: behind('a') }), gap('ann'), sent('c'),
      hears('ann', 'c'),
    ],
  },
  {
    name: 'so it is for history',
    forgetful: true,
    steps: [
      sent('a', 'b'), forgotten('a'), sent('c'), history('ann', { topics: ['thread:1'], since: behind('a') }, ['c'], { gap: 'trimmed' }),
    ],
  },

  {
    name: 'gathered events come all, and in order',
    steps: [
      subscribe('ann', { topics: ['thread:1'], batchMs: 60 }), sent('a', 'b', 'c'), sent('d'), hears('ann', 'a', 'b', 'c', 'd'), sent('e'),
      hears('ann', 'e'),
    ],
  },
  {
    name: 'gathered events are not lost by a cut, nor repeated',
    steps: [
      subscribe('ann', { topics: ['thread:1'], batchMs: 40 }), sent('a', 'b'), hears('ann', 'a', 'b'), sent('c', 'd'), cut('ann'),
      sent('e'), hears('ann', 'c', 'd', 'e'),
    ],
  },
  {
    name: 'gathered events and others of one connection keep their order',
    steps: [
      subscribe('ann', { topics: ['thread:1'], batchMs: 60 }), subscribe('ann', { topics: ['task:1'] }),
      publish('bob', custom('a', 'thread:1'), progress('b', '1'), custom('c', 'thread:1')),
      { step: 'hearsSet', who: 'ann', ids: ['a', 'b', 'c'] },
    ],
  },
  {
    name: 'of the latest only, the last one comes, and nothing out of order',
    steps: [
      subscribe('ann', { topics: ['task:1', 'task:2'], batchMs: 60, latestOnly: true }),
      publish('bob', progress('a', '1', 10), progress('b', '2', 10), progress('c', '1', 20), progress('d', '2', 20)), hearsLast('ann', 'd'),
    ],
  },
  {
    name: 'of the latest only, who is cut off goes on behind the last one',
    steps: [
      subscribe('ann', { topics: ['task:1'], batchMs: 40, latestOnly: true }),
      publish('bob', progress('a', '1', 10), progress('b', '1', 20)), hearsLast('ann', 'b'), cut('ann'),
      publish('bob', progress('c', '1', 30)), hears('ann', 'c'),
    ],
  },
]
