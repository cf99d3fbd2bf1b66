/**
 * Malformed bytes below the messages (I5): raw packets, webhook deliveries, and raw entries of the source streams. Whoever sent
 * them is answered, cut off or finds a dead letter with the reason; nobody else notices.
 */
import { connect } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { partitionOf } from '@hubbub/protocol'
import { WebSocket } from 'ws'
import { ask } from '../harness/ask.js'
import { eventually } from '../harness/eventually.js'
import { tap } from '../harness/tap.js'
import { sign } from './deliveries.js'
import { BAD_EVENTS, brief, NOT_JSON, progress, type BadText } from './malformed.js'
import { besiege, GITHUB_SECRET, HOME, LEAST, PARTITIONS, serviceToken, type Besieged } from './malformedClients.js'
import { STREAMS, type StreamName } from './rawRedis.js'

let hub: Besieged
beforeAll(async () => {
  hub = await besiege()
}, 60_000)
afterAll(() => hub?.stop(), 60_000)
afterEach(async () => {
  expect(await hub.isWell()).toBe(true)
})

/** A way on which everything went wrong still takes a valid event. */
async function publishBehind(): Promise<void> {
  const id = hub.expectValid(`behind-packets-${hub.valid.size}`)
  const client = await tap(hub.url, { auth: { token: serviceToken('behind') } })
  await client.must('publish', JSON.parse(progress(id)))
  await hub.watcher.hears(id)
  client.close()
}

describe('raw packets', () => {
  const nested = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  const opened: WebSocket[] = []
  afterEach(publishBehind)
  afterAll(() => opened.forEach((socket) => socket.terminate()))

  /** A WebSocket without a client library; `heard` are its text frames. */
  async function rawSocket(): Promise<{ socket: WebSocket; heard: string[]; closed: Promise<unknown> }> {
    const socket = new WebSocket(`${hub.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
    opened.push(socket)
    const heard: string[] = []
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('message', (data: Buffer) => heard.push(data.toString()))
    socket.on('error', () => {})
    await eventually(() => heard[0]?.startsWith('0{'), 'the handshake')
    return { socket, heard, closed }
  }
  async function member(): Promise<Awaited<ReturnType<typeof rawSocket>>> {
    const raw = await rawSocket()
    raw.socket.send(`40{"token":"${serviceToken('raw')}"}`)
    await eventually(() => raw.heard.some((frame) => frame.startsWith('40{')), 'the namespace')
    return raw
  }
  type Frames = readonly (string | Buffer)[]

  test.each<[string, Frames]>([
    ['no packet type', ['x']], ['an unknown packet type', ['9']], ['nothing', ['']], ['a ping, which is the hub\'s to send', ['2']], ['an event before the namespace', ['42["publish",{}]']],
    ['a handshake without an object', ['40null']], ['a handshake that is a list', ['40[]']], ['a handshake cut short', ['40{"token":']], ['bytes that nobody announced', [Buffer.from([0, 1, 2, 255])]],
  ])('%s on a fresh connection ends it', async (_what, frames) => {
    const { socket, closed } = await rawSocket()
    for (const frame of frames) socket.send(frame)
    await closed
  })

  test.each<[string, Frames]>([
    ['an event cut short', ['42["publish"']], ['an event that is an object', ['42{}']], ['an event without a name', ['42[]']], ['an event whose name is null', ['42[null]']], ['the reserved name connect', ['42["connect"]']],
    ['the reserved name disconnecting', ['42["disconnecting"]']], ['an unknown Socket.IO type', ['49']], ['an empty message', ['4']], ['a second handshake', ['40{}']], ['an error, which is the hub\'s to send', ['44{"message":"x"}']],
    ['an attachment that does not come', ['451-["publish",{"_placeholder":true,"num":0}]', '42["publish",{}]']], ['a place of attachment that is none', ['451-["publish",{"_placeholder":true,"num":7}]', Buffer.from('x')]],
    ['a million attachments', ['4599999999-["publish",{}]', '42["publish",{}]']], ['bytes that nobody announced', [Buffer.from([0, 1, 2, 255])]], ['3 MB at once', [`42["publish","${'x'.repeat(3_000_000)}"]`]],
  ])('%s ends a member\'s connection, and only that', async (_what, frames) => {
    const { socket, closed } = await member()
    for (const frame of frames) socket.send(frame)
    await closed
  })

  test('text that is not UTF-8 ends the connection', async () => {
    const { socket, closed } = await member()
    socket.send(Buffer.from([0x34, 0x32, 0x5b, 0x22, 0xc3, 0x28, 0x22, 0x5d]), { binary: false })
    await closed
  })

  test.each<[string, string, RegExp]>([
    ['without arguments', '42', /^42\["hub.error",\{"code":"INVALID_MESSAGE"/],
    ['whose name is a number', '42[7]', /^42\["hub.error",\{"code":"INVALID_MESSAGE"/],
    ['without an input', '421["publish"]', /^431\[\{"ok":false,"error":\{"code":"INVALID_MESSAGE"/],
    ['nested 50,000 deep', `421["publish",${nested}]`, /^431\[\{"ok":true,"results":\[\{"ok":false,"error":\{"code":"INVALID_MESSAGE"/],
    ['nested 50,000 deep in its data', `421["custom.deep",${nested}]`, /^431\[\{"ok":false,"error":\{"code":"VALIDATION_ERROR"/],
    ['whose request is nested', `421["subscribe",${nested}]`, /^431\[\{"ok":false,"error":\{"code":"INVALID_MESSAGE"/], ['of another namespace', '40/admin,{}', /^44\/admin,/],
  ])('a message %s is answered, and the connection stays', async (_what, frame, answer) => {
    const { socket, heard } = await member()
    socket.send('4377["an answer that nobody asked for"]')
    socket.send(frame)
    await eventually(() => heard.some((text) => answer.test(text)), `an answer; heard ${heard.map(brief).join(' ')}`)
    const id = hub.expectValid(`raw-${hub.valid.size}`)
    socket.send(`429["publish",${progress(id)}]`)
    await eventually(() => heard.some((text) => text.startsWith('439[{"ok":true')), 'the answer to a valid one')
    socket.close()
  })

  test('a client that asks for the namespace many times at once is one client, or none', async () => {
    const { socket, heard } = await rawSocket()
    for (let time = 0; time < 10; time++) socket.send(`40{"token":"${serviceToken('many')}"}`)
    socket.send('421["unsubscribe",{}]')
    await eventually(() => socket.readyState === WebSocket.CLOSED || heard.some((frame) => frame.startsWith('431[')), 'an answer')
    expect(heard.filter((frame) => frame.startsWith('40{')).length).toBeLessThanOrEqual(1)
    socket.close()
  })

  test('polls with bodies that are none are refused, and so are bytes that are no HTTP', async () => {
    const address = `${hub.url}/socket.io/?EIO=4&transport=polling`
    for (const body of ['x', '42["publish"', '\u001e\u001e\u001e', '9', Buffer.from([255, 254])]) {
      const { text } = await ask(address)
      const { sid } = JSON.parse(text.slice(1)) as { sid: string }
      await ask(`${address}&sid=${sid}`, { body, headers: { 'content-type': 'text/plain' } })
      await eventually(async () => (await ask(`${address}&sid=${sid}`)).status === 400, 'the end of the session')
    }
    for (const bytes of ['\r\n\r\n\r\n', 'GET /socket.io/ HTTP/9.9\r\n\r\n', 'nonsense\r\n\r\n', `GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3])]) {
      const stranger = connect(Number(new URL(hub.url).port), '127.0.0.1')
      stranger.on('error', () => {}).resume().end(bytes)
      await new Promise((resolve) => stranger.once('close', resolve))
    }
  })
})

describe('webhook deliveries', () => {
  const repository = { full_name: 'octo/hub', id: 1 }
  const deliver = (body: string | Buffer, headers: Record<string, string | undefined> = {}, path = '/webhooks/github') => {
    const all = { 'x-github-event': 'issues', 'x-github-delivery': 'malformed', 'x-hub-signature-256': sign(GITHUB_SECRET, body), ...headers }
    return ask(hub.url + path, { body, headers: Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined)) })
  }
  const outcome = async (answer: ReturnType<typeof deliver>) => {
    const { status, body } = await answer
    return [status, body.error?.code]
  }
  afterEach(async () => {
    const id = hub.expectValid(`delivery-behind-${hub.valid.size}`)
    expect(await outcome(deliver(JSON.stringify({ action: 'opened', issue: { number: 7 }, repository }), { 'x-github-delivery': id }))).toEqual([202, undefined])
    expect(await hub.watcher.hears(id)).toMatchObject({ type: 'github.issue_updated', topics: ['repo:octo/hub', 'issue:octo/hub#7'] })
  })

  test('that are not JSON, or no object, are refused though they are signed', async () => {
    for (const body of [...NOT_JSON, '', '[]', '7', 'null', '"text"', '[{}]', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d])]) {
      expect([brief(String(body)), ...(await outcome(deliver(body)))]).toEqual([brief(String(body)), 400, 'INVALID_MESSAGE'])
    }
    for (const body of ['payload=', 'payload=nonsense', 'other=%7B%7D', 'payload=[]', 'payload=%7B']) expect(await outcome(deliver(body, { 'content-type': 'application/x-www-form-urlencoded' }))).toEqual([400, 'INVALID_MESSAGE'])
  })

  test('with headers that are none are refused', async () => {
    const events = [undefined, '', 'Issues', 'a/b', '__proto__'].map((name) => ({ 'x-github-event': name }))
    const ids = [undefined, '', 'a b', 'a/b', 'x'.repeat(101)].map((id) => ({ 'x-github-delivery': id }))
    for (const headers of [...events, ...ids]) {
      expect([headers, ...(await outcome(deliver('{}', headers)))]).toEqual([headers, 400, 'INVALID_MESSAGE'])
    }
  })

  test('for projects without a secret are not found', async () => {
    for (const project of ['other', 'Default', 'a%20b', '__proto__', 'default/x', '%00']) expect(await outcome(deliver('{}', {}, `/webhooks/github/${project}`))).toEqual([404, 'NOT_FOUND'])
  })

  test('of more than 25 MB are refused, compressed ones too', async () => {
    const large = Buffer.alloc(26 * 1024 * 1024, 'x')
    for (const [body, encoding] of [[large, 'identity'], [gzipSync(large), 'gzip'], [deflateSync(large), 'deflate'], [brotliCompressSync(large), 'br'], [gzipSync(Buffer.alloc(200 * 1024 * 1024)), 'gzip']] as const) {
      expect([encoding, ...(await outcome(deliver(body, { 'content-encoding': encoding })))]).toEqual([encoding, 413, 'PAYLOAD_TOO_LARGE'])
    }
  }, 30_000)

  test('of hostile content are taken in as what of them is well-formed', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const payloads = [
      '{}', `{"action":${deep},"issue":{"number":1,"title":${deep}},"repository":{"full_name":"octo/hub"}}`, '{"action":7,"issue":{"number":"1","title":{},"labels":7},"repository":{"full_name":["octo/hub"]},"sender":null}',
      '{"__proto__":{"action":"x"},"issue":{"__proto__":{"number":1}},"repository":{"full_name":"octo/hub","constructor":1}}', '{"repository":{"full_name":"a b"},"issue":{"number":1}}',
      '{"repository":{"full_name":"*"},"issue":{"number":1e308}}',
      '{"repository":{"full_name":"octo/hub\\ninbox:coder"},"issue":{"number":-1},"installation":{"id":1.5}}',
      `{"repository":{"full_name":"${'x'.repeat(1000)}"},"issue":{"number":1,"updated_at":"never"}}`, '{"action":"\\ud800","repository":{"full_name":"\\ud800"}}',
    ]
    for (const [at, body] of payloads.entries()) {
      const id = hub.expectValid(`hostile-${at}`)
      expect(await outcome(deliver(body, { 'x-github-delivery': id }))).toEqual([202, undefined])
      const { topics } = await hub.watcher.hears(id)
      expect(topics.filter((topic) => !/^(project|repo:octo\/hub|issue:octo\/hub#-?1)$/.test(topic))).toEqual([])
    }
    expect(await outcome(deliver(`{"issue":{"number":1,"title":"${'x'.repeat(100_000)}"}}`))).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  })
})

describe.each(STREAMS)('raw entries of the source stream %s', (stream) => {
  const abroad = Array.from({ length: 40 }, (_, at) => `project-${at}`).filter((project) => partitionOf(project, PARTITIONS) !== HOME).slice(0, LEAST)
  const closed = stream !== 'workflows'
  const bad: [code: string, fields: Record<string, string>][] = [
    ...NOT_JSON.map((event): [string, Record<string, string>] => ['INVALID_MESSAGE', { event }]),
    ...['[]', '[{}]', '""', '0', 'false'].map((event): [string, Record<string, string>] => ['INVALID_MESSAGE', { event }]),
    ...['data', 'Event', 'events', '__proto__', 'identity2'].map((name): [string, Record<string, string>] => ['INVALID_MESSAGE', Object.fromEntries([[name, progress('never')]])]),
    ...Object.values(BAD_EVENTS).flat().filter(([, json]) => mayNot(stream, json)).map(([code, event]): [string, Record<string, string>] => [code, { event }]),
    ...abroad.map((project): [string, Record<string, string>] => ['WRONG_PARTITION', { event: progress('never', { project }) }]),
    // Where an identity counts, it must be one; elsewhere nobody reads it.
    ...['nonsense', '{}', 'null', '[]', '{"source":7,"project":"default"}', '{"source":"","project":"default"}', '{"source":"/agents/a","project":"a b"}'].filter(() => closed)
      .map((identity): [string, Record<string, string>] => ['INVALID_MESSAGE', { event: progress('never'), identity }]),
    ...abroad.filter(() => closed).map((project): [string, Record<string, string>] => ['WRONG_PROJECT', { event: progress('never', { project }), identity: '{"source":"/agents/a","project":"default"}' }]),
    ...abroad.filter(() => closed).map((project): [string, Record<string, string>] => ['WRONG_PARTITION', { event: progress('never'), identity: JSON.stringify({ source: '/agents/a', project }) }]),
  ]

  test(`${bad.length} that are malformed are dead-lettered with their reasons, and the valid ones among them arrive`, async () => {
    const expected = new Map<string, string>()
    const first = hub.expectValid(`first-of-${stream}`)
    const last = hub.expectValid(`last-of-${stream}`)
    for (const [at, [code, fields]] of bad.entries()) {
      if (at === 20) await hub.raw.add(HOME, stream, { event: progress(first), more: 'fields' })
      expected.set(await hub.raw.add(HOME, stream, fields), code)
    }
    // On an open stream nobody is who he says.
    await hub.raw.add(HOME, stream, { event: progress(last), ...(!closed && { identity: '{"source":"/hub/forged","project":"forged"}', replyTo: 'nobody' }) })
    for (const id of [first, last]) expect(await hub.watcher.hears(id)).toMatchObject({ project: 'default', metadata: { source: `/streams/${stream}` } })

    const letters = (await hub.raw.dead(HOME)).filter(({ fields }) => fields['stream'] === stream)
    const reasons = new Map(letters.map(({ fields }) => [fields['entry'], fields['code']]))
    expect(bad.map(([, fields], at) => [brief(JSON.stringify(fields)), reasons.get([...expected.keys()][at])])).toEqual(bad.map(([code, fields]) => [brief(JSON.stringify(fields)), code]))
    expect(letters.length).toBe(bad.length)
    for (const { fields } of letters) {
      expect(fields['message']).toMatch(/\w+/)
      expect(Object.keys(JSON.parse(fields['fields']!) as object).length).toBeGreaterThan(0)
    }
  }, 30_000)
})

/** Whoever may write to `system` is the hub or its operator: he may say what only the hub knows. */
function mayNot(stream: StreamName, json: BadText[1]): boolean {
  return stream !== 'system' || !/connection\.opened|command\.started/.test(json)
}

test('nothing malformed stands in the journal', async () => {
  expect(await hub.judge()).toEqual([])
  expect(hub.valid.size).toBeGreaterThan(50)
})
