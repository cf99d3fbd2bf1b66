import { custom, hears, hearsAlike, progress, publish, subscribe, together, unsubscribe, type Case } from '../steps.js'

const log = (id: string, agentId: string, message: string) => ({ id, type: 'agent.log', data: { agentId, level: 'info', message } })

/** What a subscription brings. */
export const READING: Case[] = [
  {
    name: 'a topic brings its events, and no others',
    steps: [
      subscribe('ann', { topics: ['task:1'] }), publish('bob', progress('a', '1', 10), progress('b', '2', 10), progress('c', '1', 20)),
      hears('ann', 'a', 'c'),
    ],
  },
  {
    name: 'what was before a subscription without `since` does not come',
    steps: [
      publish('bob', progress('a', '1', 10)), subscribe('ann', { topics: ['task:1'] }), publish('bob', progress('b', '1', 20)),
      hears('ann', 'b'),
    ],
  },
  {
    name: 'several topics of one subscription come in the journal\'s order',
    steps: [
      subscribe('ann', { topics: ['task:1', 'task:2'] }),
      publish('bob', progress('a', '1'), progress('b', '2'), progress('c', '3'), progress('d', '1')), hears('ann', 'a', 'b', 'd'),
    ],
  },
  {
    name: 'an event with two of the topics comes once',
    steps: [
      subscribe('ann', { topics: ['task:1', 'thread:x'] }),
      publish('bob', progress('a', '1', 10, { topics: ['thread:x'] }), custom('b', 'thread:x')), hears('ann', 'a', 'b'),
    ],
  },
  {
    name: 'a second subscription adds to the first',
    steps: [
      subscribe('ann', { topics: ['task:1'] }), subscribe('ann', { topics: ['task:2'] }),
      publish('bob', progress('a', '1'), progress('b', '2')), hears('ann', 'a', 'b'),
    ],
  },
  {
    name: 'an event that fits two subscriptions comes once',
    steps: [
      subscribe('ann', { topics: ['task:1'] }), subscribe('ann', { topics: ['task:*'] }),
      publish('bob', progress('a', '1'), progress('b', '2')), hears('ann', 'a', 'b'),
    ],
  },
  {
    name: 'what was unsubscribed comes no longer, the rest goes on',
    steps: [
      subscribe('ann', { topics: ['task:1'] }), subscribe('ann', { topics: ['task:2'] }), publish('bob', progress('a', '1')),
      hears('ann', 'a'), unsubscribe('ann', 'task:1'), publish('bob', progress('b', '1'), progress('c', '2'), custom('d', 'task:1')),
      hears('ann', 'c'),
    ],
  },
  {
    name: 'what was unsubscribed may be subscribed to again',
    steps: [
      subscribe('ann', { topics: ['task:1'] }), publish('bob', progress('a', '1')), hears('ann', 'a'), unsubscribe('ann', 'task:1'),
      publish('bob', progress('b', '1')), subscribe('ann', { topics: ['task:1'] }), publish('bob', progress('c', '1')), hears('ann', 'c'),
    ],
  },
  {
    name: '`family:*` takes every topic of the family',
    steps: [
      subscribe('ann', { topics: ['task:*'] }), publish('bob', progress('a', '1'), custom('b', 'thread:1'), progress('c', 'xyz')),
      hears('ann', 'a', 'c'),
    ],
  },
  {
    name: '`family:prefix*` takes the topics that begin so',
    steps: [
      subscribe('ann', { topics: ['task:ab*'] }),
      publish('bob', progress('a', 'ab'), progress('b', 'b'), progress('c', 'abc'), progress('d', 'a')), hears('ann', 'a', 'c'),
    ],
  },
  {
    name: '`*` takes everything but mail',
    steps: [
      subscribe('ann', { topics: ['*'] }), publish('bob', progress('a', '1'), custom('b', 'inbox:coder'), custom('c', 'thread:1')),
      hears('ann', 'a', 'c'),
    ],
  },
  {
    name: 'a type chooses among the events of a topic',
    steps: [
      subscribe('ann', { topics: ['agent:x'], types: ['agent.log'] }),
      publish('bob', custom('a', 'agent:x'), log('b', 'x', 'one'), custom('c', 'agent:x'), log('d', 'x', 'two')), hears('ann', 'b', 'd'),
    ],
  },
  {
    name: 'a pattern chooses a family of types',
    steps: [
      subscribe('ann', { topics: ['task:1'], types: ['task.*'] }), publish('bob', custom('a', 'task:1'), progress('b', '1')),
      hears('ann', 'b'),
    ],
  },
  {
    name: 'a filter takes equal fields only',
    steps: [
      subscribe('ann', { topics: ['thread:1'], filter: { stage: 'build' } }),
      publish(
        'bob', custom('a', 'thread:1', { stage: 'test' }), custom('b', 'thread:1', { stage: 'build' }), custom('c', 'thread:1', {}),
        custom('d', 'thread:1', { stage: 'build', more: 1 }),
      ),
      hears('ann', 'b', 'd'),
    ],
  },
  {
    name: 'a filter tells the number 3 from the text "3", and looks into what is nested',
    steps: [
      subscribe('ann', { topics: ['thread:1'], filter: { 'data.step.number': 3, done: true } }),
      publish(
        'bob', custom('a', 'thread:1', { step: { number: '3' }, done: true }),
        custom('b', 'thread:1', { step: { number: 3 }, done: false }), custom('c', 'thread:1', { step: { number: 3 }, done: true }),
      ),
      hears('ann', 'c'),
    ],
  },
  {
    name: 'a filter by capability looks into the list',
    steps: [
      subscribe('ann', { topics: ['thread:1'], filter: { capability: 'test' } }),
      publish('bob', custom('a', 'thread:1', { capabilities: ['code'] }), custom('b', 'thread:1', { capabilities: ['code', 'test'] })),
      hears('ann', 'b'),
    ],
  },
  {
    name: 'topic, type and filter must all fit',
    steps: [
      subscribe('ann', { topics: ['task:1'], types: ['task.progress'], filter: { progress: 20 } }),
      publish('bob', progress('a', '1', 10), progress('b', '2', 20), custom('c', 'task:1', { progress: 20 }), progress('d', '1', 20)),
      hears('ann', 'd'),
    ],
  },
  {
    name: 'two subscribers hear two writers in the very same order, and each writer in its own',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), subscribe('eve', { topics: ['thread:*'] }), together(['bob', 'tom'], 25, 'thread:1'),
      hearsAlike('ann', 'eve', 50),
    ],
  },
]
