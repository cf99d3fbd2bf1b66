import { behind, custom, hears, history, numbers, progress, publish, subscribe, type Case } from '../steps.js'

const FOUR = publish('bob', progress('a', '1', 10), progress('b', '2', 20), progress('c', '1', 30), custom('d', 'task:1', { stage: 'build' }))
/** More than an answer holds. */
const MANY = numbers('n', 1100)

/** What was before: a subscription's `since`, and history. */
export const PAST: Case[] = [
  {
    name: '`since` all brings what is kept, then what comes',
    steps: [
      FOUR, subscribe('ann', { topics: ['task:1'], since: 'all' }), publish('bob', progress('e', '1')), hears('ann', 'a', 'c', 'd', 'e'),
    ],
  },
  {
    name: '`since` a cursor goes on behind it',
    steps: [
      FOUR, subscribe('ann', { topics: ['task:1'], since: behind('a') }), publish('bob', progress('e', '1')), hears('ann', 'c', 'd', 'e'),
    ],
  },
  {
    name: '`since` a duration brings what is younger',
    steps: [FOUR, subscribe('ann', { topics: ['task:1'], since: '10m' }), hears('ann', 'a', 'c', 'd')],
  },
  {
    name: '`since` the last two brings those two',
    steps: [
      FOUR, subscribe('ann', { topics: ['task:1'], since: { last: 2 } }), publish('bob', progress('e', '1')), hears('ann', 'c', 'd', 'e'),
    ],
  },
  {
    name: '`since` more than there are brings all there are',
    steps: [FOUR, subscribe('ann', { topics: ['task:2'], since: { last: 50 } }), hears('ann', 'b')],
  },
  {
    name: '`since` keeps to the types',
    steps: [FOUR, subscribe('ann', { topics: ['task:1'], types: ['task.*'], since: 'all' }), hears('ann', 'a', 'c')],
  },
  {
    name: '`since` keeps to the filter',
    steps: [
      FOUR, subscribe('ann', { topics: ['task:1'], filter: { stage: 'build' }, since: 'all' }),
      publish('bob', custom('e', 'task:1', { stage: 'build' })), hears('ann', 'd', 'e'),
    ],
  },
  {
    name: '`since` with a wildcard brings every topic in the journal\'s order',
    steps: [FOUR, subscribe('ann', { topics: ['task:*'], since: 'all' }), hears('ann', 'a', 'b', 'c', 'd')],
  },
  {
    name: '`since` over two topics comes in the journal\'s order, each event once',
    steps: [
      publish(
        'bob', progress('a', '1'), custom('b', 'thread:x'), progress('c', '1', 50, { topics: ['thread:x'] }), custom('d', 'thread:x'),
      ),
      subscribe('ann', { topics: ['task:1', 'thread:x'], since: 'all' }), publish('bob', progress('e', '1')),
      hears('ann', 'a', 'b', 'c', 'd', 'e'),
    ],
  },
  {
    name: '`since` a topic of which nothing is known brings what comes',
    steps: [subscribe('ann', { topics: ['task:none'], since: 'all' }), publish('bob', progress('a', 'none')), hears('ann', 'a')],
  },
  {
    name: 'what is more than one answer holds comes whole',
    steps: [
      publish('bob', ...MANY.slice(0, 600).map((id) => custom(id, 'thread:1'))),
      publish('bob', ...MANY.slice(600).map((id) => custom(id, 'thread:1'))), subscribe('ann', { topics: ['thread:1'], since: 'all' }),
      publish('bob', custom('last', 'thread:1')), hears('ann', ...MANY, 'last'),
    ],
  },

  { name: 'history is what stands in the journal', steps: [FOUR, history('ann', { topics: ['task:1'] }, ['a', 'c', 'd'])] },
  { name: 'history behind a cursor', steps: [FOUR, history('ann', { topics: ['task:1'], since: behind('c') }, ['d'])] },
  { name: 'history of the last two', steps: [FOUR, history('ann', { topics: ['task:*'], since: { last: 2 } }, ['c', 'd'])] },
  {
    name: 'history by type and filter',
    steps: [FOUR, history('ann', { topics: ['task:*'], types: ['task.progress'], filter: { taskId: '2' } }, ['b'])],
  },
  { name: 'history up to a number', steps: [FOUR, history('ann', { topics: ['task:1'], since: 'all', limit: 2 }, ['a', 'c'])] },
  { name: 'history of a topic of which nothing is known is empty', steps: [FOUR, history('ann', { topics: ['task:none'] }, [])] },
  {
    name: 'history holds what was just acknowledged',
    steps: [
      publish('bob', custom('a', 'thread:1')), history('bob', { topics: ['thread:1'] }, ['a']), publish('bob', custom('b', 'thread:1')),
      history('bob', { topics: ['thread:1'] }, ['a', 'b']),
    ],
  },
]
