/** What people read of an event in a chat, and what nobody may put into it. */
import type { HubEvent } from '@hubbub/protocol'
import { chatLine } from '../../server/src/gateway/sinks/chat.js'
import { bodyOf, headersOf, parcelOfGap } from '../../server/src/gateway/sinks/message.js'
import { signatureOf } from '../../server/src/gateway/sinks/signature.js'

function event(type: string, data: unknown, topics = ['task:T-1']): HubEvent {
  return { id: 'e1', type, timestamp: 1, project: 'default', topics, data, metadata: { version: '1.0', source: '/agents/a', recordedAt: 1 } }
}

test.each([
  [event('task.progress', { taskId: 'T1', progress: 40, message: 'half way' }), 'task.progress T1 (40 %): half way'],
  [event('task.status_changed', { taskId: 'T1', oldStatus: 'pending', newStatus: 'blocked' }), 'task.status_changed T1 (blocked)'],
  [event('task.failed', { taskId: 'T1', error: { message: 'out of memory', code: 1 } }), 'task.failed T1: out of memory'],
  [event('github.pull_request', { title: 'Fix', url: 'https://github.com/o/r/pull/1' }, ['repo:o/r']), 'github.pull_request o/r: Fix <https://github.com/o/r/pull/1>'],
  [event('system.alert', { severity: 'warning', message: 'disk' }, ['system']), 'system.alert (warning): disk'],
  [event('custom.note', 'just text', ['project']), 'custom.note'],
  [event('custom.note', null, ['project']), 'custom.note'],
])('%#: one readable line', (one, line) => {
  expect(chatLine(one, 'slack')).toBe(line)
})

test('nobody is called, nothing is marked up, and one line stays one', () => {
  const said = event('task.failed', { taskId: 'T1', error: '@everyone <!channel> <@U1> `code` *bold* _it_ ~no~ ||spoiler|| [x](http://evil) # head\n> quote\u202e\u0007' })
  expect(chatLine(said, 'slack')).toBe('task.failed T1: @\u200beveryone &lt;!channel&gt; &lt;@\u200bU1&gt; ˋcodeˋ *bold* _it_ ~no~ ||spoiler|| [x](http://evil) # head &gt; quote')
  expect(chatLine(said, 'discord')).toBe(
    String.raw`task.failed T1: @​everyone \<!channel\> \<@​U1\> \`code\` \*bold\* \_it\_ \~no\~ \|\|spoiler\|\| \[x\]\(http://evil\) \# head \> quote`.replaceAll('@​', '@\u200b'))
})

test.each(['javascript:alert(1)', 'https://user:pw@evil.example/', 'ftp://x/', 'https://', 5, `https://x.example/${'a'.repeat(600)}`])('%s is no link', (url) => {
  expect(chatLine(event('custom.note', { url }, ['project']), 'slack')).toBe('custom.note')
})

test('a link stays one link', () => {
  expect(chatLine(event('custom.note', { url: 'https://x.example/a|b>c?d=`e`&f=(g)' }, ['project']), 'slack')).toMatch(/^custom\.note <https:\/\/x\.example\/[^<>|`()]+>$/)
})

test('a template is filled from the event, escaped; what is not there is empty', () => {
  const one = event('task.completed', { title: '<b>', nested: { list: [1, 'a'] }, ok: false }, ['task:T-1'])
  expect(chatLine(one, 'slack', '*{{ data.title }}* {{type}} {{data.nested.list}} {{data.ok}} {{data.none.at.all}}{{__proto__}}{{data.constructor}} {{project}} {{not closed')).toBe(
    '*&lt;b&gt;* task.completed [1,"a"] false  default {{not closed')
  expect(chatLine(one, 'discord', '**{{data.title}}**')).toBe(String.raw`**\<b\>**`)
})

test('is never longer than the chat takes, and ends at a whole character', () => {
  for (const text of ['*'.repeat(5000), '😀'.repeat(3000), '&'.repeat(5000)]) {
    const template = '{{data.a}}{{data.a}}{{data.a}}{{data.a}}{{data.a}}{{data.a}}{{data.a}}'
    for (const [chat, longest] of [['discord', 2000], ['slack', 3000]] as const) {
      const line = chatLine(event('custom.x', { a: text }), chat, template)
      expect(line.length).toBeLessThanOrEqual(longest)
      expect(line).toMatch(/(?<!\\)…$/u)
      expect(line).not.toMatch(/\p{Cs}/u)
      expect(line.replaceAll(chat === 'slack' ? '&amp;' : '&', '').replaceAll('\\*', '')).not.toMatch(/&|\\/)
    }
  }
})

describe('a message', () => {
  const sink = { id: 's', project: 'default', url: 'https://x/', topics: ['*'], format: 'hubbub', secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', createdAt: 1, reader: { subject: 'x', role: 'admin', permissions: [], via: 'jwt' } } as const

  test('is signed as Standard Webhooks bids: their own example', () => {
    expect(signatureOf(sink.secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, Buffer.from('{"test": 2432232314}'))).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })

  test('has headers that any id fits into', () => {
    const strange = { ...event('custom.x', {}), id: 'ü %\r\n😀' }
    const headers = headersOf({ id: strange.id, type: 'custom.x', cursor: 'e.1-0', event: strange }, { ...sink, topics: ['*'], reader: { ...sink.reader, permissions: [] } }, Buffer.from('{}'), 2, 5000)
    expect(headers).toMatchObject({ 'webhook-id': '%C3%BC%20%25%0D%0A%F0%9F%98%80', 'webhook-timestamp': '5', 'hubbub-attempt': '2', 'content-length': '2' })
  })

  test('of a gap has the form of an event, and the same id each time', () => {
    const gap = { from: 'e.1-0', to: 'e.1700000000000-5', reason: 'trimmed' } as const
    const [parcel, again] = [parcelOfGap(gap, sink), parcelOfGap(gap, sink)]
    expect(parcel).toMatchObject({ type: 'gap', cursor: gap.to })
    expect(again).toEqual(parcel)
    expect(JSON.parse(bodyOf(parcel, sink).toString())).toMatchObject({ type: 'hub.gap', project: 'default', data: { ...gap, sinkId: 's' } })
    expect(JSON.parse(bodyOf(parcel, { format: 'cloudevents' }).toString())).toMatchObject({ specversion: '1.0', type: 'hub.gap', id: parcel.id })
    expect(JSON.parse(bodyOf(parcel, { format: 'slack' }).toString())).toMatchObject({ text: expect.stringMatching(/^hub\.gap/) })
  })
})
