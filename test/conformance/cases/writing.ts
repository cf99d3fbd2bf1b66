import { gzipSync } from 'node:zlib'
import type { EventInput } from '@hubbub/protocol'
import { connect, custom, hears, hearsAs, history, progress, publish, publishing, refused, subscribe, type Case } from '../steps.js'

/** More than HUBBUB_COMPRESS_BYTES; each part different, so that it must come whole. */
const LARGE = { lines: Array.from({ length: 1500 }, (_, place) => `line ${place} of the log`) }
const UNICODE = { text: 'Grüße, 世界, 🜁 \u2028 \\ " \u0000 \ud83d\ude80', 'ключ': ['é', 'é'] }
const EXACT = { zero: 0, no: false, nothing: null, empty: '', list: [], fraction: 0.1, large: 9007199254740991, negative: -1.5e-7, nested: { deep: [{ a: [1, [2]] }] } }

/** What is published, and how it stands there. */
export const WRITING: Case[] = [
  {
    name: 'an event is answered when it stands in the journal',
    steps: [publish('bob', progress('a', '1')), history('bob', { topics: ['task:1'] }, ['a'])],
  },
  {
    name: 'of a batch each event is answered on its own, in order',
    steps: [
      subscribe('ann', { topics: ['task:1'] }),
      publishing(
        'bob',
        [
          progress('a', '1'), { id: 'b', type: 'nosuch.type', data: {} }, progress('c', '1'),
          { id: 'd', type: 'task.progress', data: { taskId: '1', progress: 'half' } }, progress('e', '1'),
        ],
        [{}, { refused: 'UNKNOWN_TYPE' }, {}, { refused: 'VALIDATION_ERROR' }, {}],
      ),
      hears('ann', 'a', 'c', 'e'),
    ],
  },
  {
    name: 'an event that is published again is answered as a duplicate, and comes once',
    steps: [
      subscribe('ann', { topics: ['task:1'] }), publish('bob', progress('a', '1')),
      publishing('bob', [progress('a', '1')], [{ duplicate: true }]), publish('bob', progress('b', '1')), hears('ann', 'a', 'b'),
    ],
  },
  {
    name: 'of two events of one id the first one counts',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), publish('bob', custom('a', 'thread:1', { n: 1 })),
      publishing('bob', [custom('a', 'thread:1', { n: 2 })], [{ duplicate: true }]), publish('bob', custom('b', 'thread:1')),
      hearsAs('ann', 'a', { data: { n: 1 } }), hears('ann', 'b'),
    ],
  },
  {
    name: 'two producers may use the same id',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), publish('bob', custom('a', 'thread:1')), publish('tom', custom('a', 'thread:1')),
      hears('ann', 'a', 'a'),
    ],
  },
  {
    name: 'of one batch, too, a repeated id counts once',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }),
      publishing('bob', [custom('a', 'thread:1'), custom('a', 'thread:1'), custom('b', 'thread:1')], [{}, { duplicate: true }, {}]),
      hears('ann', 'a', 'b'),
    ],
  },
  {
    name: 'an older name of a type is the same type',
    steps: [
      subscribe('ann', { topics: ['task:1'] }),
      publishing('bob', [{ id: 'a', type: 'task:progress', data: { taskId: '1', progress: 5 } }], [{ type: 'task.progress' }]),
      hearsAs('ann', 'a', { type: 'task.progress' }),
    ],
  },
  {
    name: 'snake_case fields stand as the catalogue has them',
    steps: [
      subscribe('ann', { topics: ['task:1'] }), publish('bob', { id: 'a', type: 'task.progress', data: { task_id: '1', progress: 5 } }),
      hearsAs('ann', 'a', { topics: ['task:1'], data: { taskId: '1', progress: 5 } }),
    ],
  },
  {
    name: 'what else the data holds is kept',
    steps: [
      subscribe('ann', { topics: ['task:1'] }),
      publish('bob', { id: 'a', type: 'task.progress', data: { taskId: '1', progress: 5, mood: 'good' } }),
      hearsAs('ann', 'a', { data: { mood: 'good' } }),
    ],
  },
  {
    name: 'the accepted, too, come and stand',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), publishing('bob', [custom('a', 'thread:1')], [{ type: 'custom.note' }], 'accepted'),
      hears('ann', 'a'), history('ann', { topics: ['thread:1'] }, ['a']),
    ],
  },
  {
    name: 'the producer may add topics',
    steps: [
      subscribe('ann', { topics: ['thread:x'] }), publish('bob', progress('a', '1', 50, { topics: ['thread:x'] })),
      hearsAs('ann', 'a', { topics: ['task:1', 'thread:x'] }),
    ],
  },
  {
    name: 'what the event was caused by goes with it',
    steps: [
      subscribe('ann', { topics: ['task:1'] }),
      publish('bob', progress('a', '1', 50, { metadata: { correlationId: 'order-7', causationId: 'click-1' } })),
      hearsAs('ann', 'a', { metadata: { correlationId: 'order-7', causationId: 'click-1', source: '/services/bob' } }),
    ],
  },
  {
    name: 'any JSON comes as it was',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), publish('bob', custom('a', 'thread:1', EXACT)), hearsAs('ann', 'a', { data: EXACT }),
    ],
  },
  {
    name: 'any text comes as it was, live and later',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), publish('bob', custom('a', 'thread:1', UNICODE)), hearsAs('ann', 'a', { data: UNICODE }),
      subscribe('eve', { topics: ['thread:1'], since: 'all' }), hearsAs('eve', 'a', { data: UNICODE }),
    ],
  },
  {
    name: 'a topic may be in any script',
    steps: [
      subscribe('ann', { topics: ['task:Straße-1'] }), publish('bob', progress('a', 'Straße-1'), progress('b', 'Strasse-1')),
      hears('ann', 'a'), history('ann', { topics: ['task:Straße-1'] }, ['a']),
    ],
  },
  {
    name: 'a large event comes whole',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), publish('bob', custom('a', 'thread:1', LARGE)), hearsAs('ann', 'a', { data: LARGE }),
    ],
  },
  {
    name: 'a large event comes whole to whoever asked for compression, a small one beside it',
    people: { ann: { asks: { compress: true } } },
    steps: [
      subscribe('ann', { topics: ['thread:1'] }),
      publish('bob', custom('a', 'thread:1', { n: 1 }), custom('b', 'thread:1', LARGE), custom('c', 'thread:1', { n: 3 })),
      hearsAs('ann', 'a', { data: { n: 1 } }), hearsAs('ann', 'b', { data: LARGE }), hearsAs('ann', 'c', { data: { n: 3 } }),
    ],
  },
  {
    name: 'an event that was sent compressed comes as it was',
    steps: [
      subscribe('ann', { topics: ['thread:1'] }), publish('bob', compressed('a', JSON.stringify(LARGE)), custom('b', 'thread:1')),
      hearsAs('ann', 'a', { type: 'custom.note', data: LARGE }), hears('ann', 'b'), history('ann', { topics: ['thread:1'] }, ['a', 'b']),
    ],
  },
  {
    name: 'what was sent compressed and is larger than an event may be is refused',
    steps: [refused('bob', compressed('a', ' '.repeat(10_000_000)), 'PAYLOAD_TOO_LARGE')],
  },

  { name: 'an unknown type is refused', steps: [refused('bob', { type: 'nosuch.type', data: {} }, 'UNKNOWN_TYPE')] },
  {
    name: 'data without a field that must be there is refused',
    steps: [refused('bob', { type: 'task.progress', data: { progress: 5 } }, 'VALIDATION_ERROR')],
  },
  {
    name: 'data of a wrong type is refused',
    steps: [refused('bob', { type: 'task.progress', data: { taskId: '1', progress: 'half' } }, 'VALIDATION_ERROR')],
  },
  {
    name: 'data that reaches for a prototype is refused',
    steps: [refused('bob', { type: 'custom.note', data: JSON.parse('{"constructor":{"prototype":{}}}') as object }, 'VALIDATION_ERROR')],
  },
  {
    name: 'data that is nested too deeply is refused',
    steps: [refused('bob', { type: 'custom.note', data: nested(40) }, 'VALIDATION_ERROR')],
  },
  {
    name: 'an event that is too large is refused',
    steps: [refused('bob', { type: 'custom.note', data: { text: 'x'.repeat(70_000) } }, 'PAYLOAD_TOO_LARGE')],
  },
  {
    name: 'a topic that is none is refused',
    steps: [refused('bob', { type: 'custom.note', data: {}, topics: ['no topic'] }, 'INVALID_TOPIC')],
  },
  {
    name: 'an event that only the hub tells is refused',
    steps: [refused('bob', { type: 'task.cancel_requested', data: { taskId: '1', by: '/services/bob' } }, 'UNKNOWN_TYPE')],
  },
  {
    name: 'a viewer publishes nothing',
    people: { vic: { role: 'viewer' } },
    steps: [refused('vic', custom('a', 'thread:1'), 'INSUFFICIENT_PERMISSIONS'), history('vic', { topics: ['thread:1'] }, [])],
  },
  {
    name: 'a credential publishes the types that it names, and no others',
    people: { vic: { permissions: ['publish:task.progress', 'subscribe:*'] } },
    steps: [
      publishing('vic', [progress('a', '1')], [{}]), refused('vic', custom('b', 'task:1'), 'INSUFFICIENT_PERMISSIONS'),
      history('vic', { topics: ['task:1'] }, ['a']),
    ],
  },
  {
    name: 'an agent speaks for itself alone',
    people: { kim: { role: 'agent' } },
    steps: [
      connect('kim'),
      refused('kim', { type: 'agent.log', data: { agentId: 'lee', level: 'info', message: 'hi' } }, 'INSUFFICIENT_PERMISSIONS'),
      subscribe('ann', { topics: ['agent:kim'], types: ['agent.log'] }),
      publish('kim', { id: 'a', type: 'agent.log', data: { level: 'info', message: 'hi' } }),
      hearsAs('ann', 'a', { data: { agentId: 'kim' } }),
    ],
  },
]

function compressed(id: string, json: string): EventInput {
  return { ...custom(id, 'thread:1', gzipSync(json).toString('base64')), metadata: { compressed: true } as EventInput['metadata'] }
}

function nested(levels: number): object {
  let data: object = {}
  for (let level = 0; level < levels; level++) data = { inner: data }
  return data
}
