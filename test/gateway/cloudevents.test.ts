/** CloudEvents over HTTP, as the official package makes and reads them. What it loses itself (`data: null` and `0`) is written by hand. */
import { CloudEvent, HTTP, type Message } from 'cloudevents'
import type { HubEvent, PlacedCloudEvent } from '@hubbub/protocol'
import { createHub, type Hub } from '@hubbub/server'
import { silent } from '../../server/src/observe/log.js'
import { ask, type Told } from '../harness/ask.js'
import { SECRET, token, type Claims } from '../harness/token.js'

const ENGINE: Claims = { sub: 'engine', role: 'service' }
const VIEWER: Claims = { sub: 'page', role: 'viewer' }
const STRUCTURED = 'application/cloudevents+json'
const BATCH = 'application/cloudevents-batch+json'

let hub: Hub
beforeAll(async () => {
  hub = await createHub({ log: silent, settings: { port: 0, jwtSecret: SECRET, messageRate: 10_000, messageBurst: 10_000, maxBatchEvents: 10, corsOrigins: 'https://a.example' } })
})
afterAll(() => hub.close())

const send = (headers: Record<string, string>, body: string, query = '') => ask(`${hub.url}/api/v1/events${query}`, { as: token(ENGINE), headers, body })
const sent = ({ headers, body }: Message<unknown>, query = '') => send(headers as Record<string, string>, typeof body === 'string' ? body : JSON.stringify(body), query)
const read = (query: string, headers: Record<string, string> = {}) => ask(`${hub.url}/api/v1/history?${query}`, { as: token(VIEWER), headers })
const codeOf = ({ status, body }: Told) => [status, body.error?.code]
async function stands(id: string): Promise<HubEvent> {
  const { body } = await read('topics=project,task:*,branch:o/r@*&since=all&limit=1000')
  const placed = (body['events'] as { event: HubEvent }[]).find(({ event }) => event.id === id)
  if (!placed) throw new Error(`there is no event ${id}`)
  return placed.event
}
const progress = (id: string, more: object = {}) =>
  new CloudEvent({
    id, type: 'task.progress', source: 'https://ci.example/', time: '2026-11-21T10:00:00.123Z', subject: 'task/1', data: { taskId: '1', progress: 5 }, correlationid: 'c-1', topics: 'task:2 branch:o/r@fix', ...more,
  })

describe('a CloudEvent handed in', () => {
  test.each([['structured', HTTP.structured], ['binary', HTTP.binary]] as const)('in %s mode becomes the event that it describes', async (mode, encode) => {
    const told = await sent(encode(progress(`in-${mode}`)))
    expect([told.status, told.body]).toEqual([201, { ok: true, id: `in-${mode}`, type: 'task.progress', offset: expect.any(String), taskId: '1', progress: 5 }])
    expect(await stands(`in-${mode}`)).toEqual({
      id: `in-${mode}`, type: 'task.progress', timestamp: Date.parse('2026-11-21T10:00:00.123Z'), project: 'default', topics: expect.arrayContaining(['task:1', 'task:2', 'branch:o/r@fix']), data: { taskId: '1', progress: 5 },
      metadata: { version: '1.0', source: '/services/engine', recordedAt: expect.any(Number), subject: 'task/1', correlationId: 'c-1' },
    })
    expect((await sent(encode(progress(`in-${mode}`)))).body).toMatchObject({ ok: true, duplicate: true })
    expect((await sent(encode(progress(`soon-${mode}`)), '?ack=accepted')).status).toBe(202)
  })

  test.each([null, 0, false, '', 'text', [null, 0], {}])('keeps the data %j, in each mode', async (data) => {
    const cloud = { specversion: '1.0', id: `data ${JSON.stringify(data)}`, type: 'custom.any', source: '/x', data }
    expect((await send({ 'content-type': STRUCTURED }, JSON.stringify(cloud))).status).toBe(201)
    expect((await stands(cloud.id)).data).toEqual(data)
    const headers = { 'ce-specversion': '1.0', 'ce-id': encodeURIComponent(`binary ${cloud.id}`), 'ce-type': 'custom.any', 'ce-source': '/x', 'content-type': 'application/json' }
    expect((await send(headers, JSON.stringify(data))).status).toBe(201)
    expect((await stands(`binary ${cloud.id}`)).data).toEqual(data)
  })

  test('by headers may carry text, and attributes in %-escaped UTF-8', async () => {
    const headers = { 'ce-specversion': '1.0', 'ce-id': '%C3%A4-1', 'ce-type': 'custom.text', 'ce-source': '/x', 'content-type': 'text/plain' }
    expect((await send(headers, 'größer')).body).toMatchObject({ ok: true, id: 'ä-1' })
    expect(await stands('ä-1')).toMatchObject({ data: 'größer' })
    expect(codeOf(await send({ ...headers, 'ce-id': '%ff' }, 'x'))).toEqual([400, 'INVALID_MESSAGE'])
    expect(codeOf(await send({ ...headers, 'content-type': 'image/png' }, 'x'))).toEqual([400, 'INVALID_MESSAGE'])
  })

  test('in a batch is answered on its own, also what is none', async () => {
    const good = (id: string) => ({ specversion: '1.0', id, type: 'custom.any', source: '/x', data: 1 })
    const told = await send({ 'content-type': `${BATCH}; charset=utf-8` }, JSON.stringify([good('b1'), { ...good('b2'), specversion: '0.3' }, 7, { ...good('b4'), type: 'nonsense' }, good('b5')]))
    expect([told.status, told.body]).toMatchObject([200, { ok: true, results: [
      { ok: true, id: 'b1' }, { ok: false, error: { code: 'INVALID_MESSAGE', details: { path: 'specversion' } } }, { ok: false, error: { code: 'INVALID_MESSAGE' } }, { ok: false, error: { code: 'UNKNOWN_TYPE' } }, { ok: true, id: 'b5' },
    ] }])
    expect((await stands('b5')).data).toBe(1)
    expect(codeOf(await send({ 'content-type': BATCH }, JSON.stringify(good('no list'))))).toEqual([400, 'INVALID_MESSAGE'])
    expect(codeOf(await send({ 'content-type': BATCH }, '[]'))).toEqual([400, 'INVALID_MESSAGE'])
    expect(codeOf(await send({ 'content-type': BATCH }, JSON.stringify(Array.from({ length: 11 }, (_, n) => good(`${n}`)))))).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  })

  test('is recognised in plain JSON, too, so that none of its attributes is lost', async () => {
    expect((await send({ 'content-type': 'application/json' }, JSON.stringify(progress('plain')))).status).toBe(201)
    expect(await stands('plain')).toMatchObject({ timestamp: Date.parse('2026-11-21T10:00:00.123Z'), metadata: { subject: 'task/1' } })
  })

  test('is of the caller and the caller\'s project, whatever it says', async () => {
    expect((await sent(HTTP.structured(progress('own', { project: 'default', source: '/agents/boss', recordedat: '2020-01-01T00:00:00Z' })))).status).toBe(201)
    const { metadata } = await stands('own')
    expect([metadata.source, metadata.recordedAt > Date.parse('2026-01-01T00:00:00Z')]).toEqual(['/services/engine', true])
    for (const encode of [HTTP.structured, HTTP.binary]) expect(codeOf(await sent(encode(progress('foreign', { project: 'other' }))))).toEqual([403, 'WRONG_PROJECT'])
  })

  test.each([
    ['without a source', { source: undefined }], ['without an id', { id: undefined }], ['of another version', { specversion: '0.3' }], ['with binary data', { data: undefined, data_base64: 'AA==' }], ['with a time that is none', { time: 'now' }],
  ])('%s is refused', async (_, wrong) => {
    const cloud = { specversion: '1.0', id: 'x', type: 'custom.any', source: '/x', data: {}, ...wrong }
    expect(codeOf(await send({ 'content-type': STRUCTURED }, JSON.stringify(cloud)))).toEqual([400, 'INVALID_MESSAGE'])
  })

  test('in another format than JSON is refused', async () => {
    expect(codeOf(await send({ 'content-type': 'application/cloudevents+avro' }, 'x'))).toEqual([400, 'INVALID_MESSAGE'])
    expect(codeOf(await send({ 'content-type': STRUCTURED }, '{'))).toEqual([400, 'INVALID_MESSAGE'])
    expect(codeOf(await send({ 'ce-specversion': '1.0', 'ce-id': 'b', 'ce-type': 'custom.any', 'ce-source': '/x', 'ce-data_base64': 'AA==' }, '{'))).toEqual([400, 'INVALID_MESSAGE'])
  })
})

describe('history in CloudEvents', () => {
  test('is what the package reads, with cursor and the rest in headers', async () => {
    for (let n = 0; n < 3; n++) await sent(HTTP.structured(progress(`out-${n}`, { topics: 'thread:out' })))
    const { status, headers, text } = await read('topics=thread:out&since=all&limit=2', { accept: BATCH })
    expect([status, headers.get('content-type'), headers.get('hubbub-more'), headers.get('hubbub-gap')]).toEqual([200, `${BATCH}; charset=utf-8`, 'true', null])
    const events = HTTP.toEvent({ headers: { 'content-type': BATCH }, body: text }) as CloudEvent<unknown>[]
    expect(events.map(({ id, type, source, data, subject }) => ({ id, type, source, data, subject }))).toEqual(
      [0, 1].map((n) => ({ id: `out-${n}`, type: 'task.progress', source: '/services/engine', data: { taskId: '1', progress: 5 }, subject: 'task/1' })),
    )
    expect(events.every((event) => event.validate())).toBe(true)
    const rest = await read(`topics=thread:out&format=cloudevents&since=${headers.get('hubbub-cursor')}`)
    expect((JSON.parse(rest.text) as PlacedCloudEvent[]).map(({ id }) => id)).toEqual(['out-2'])
    expect(rest.headers.get('hubbub-more')).toBe('false')
    // Each says where it stands: whoever was interrupted goes on behind the last that it handled.
    const [first] = JSON.parse(text) as PlacedCloudEvent[]
    expect((await read(`topics=thread:out&since=${first!.cursor}`)).body).toMatchObject({ events: [{ event: { id: 'out-1' } }, { event: { id: 'out-2' } }] })
  })

  test('can be handed in again as it came, to a hub that knows it', async () => {
    const { text } = await read('topics=thread:out&since=all&format=cloudevents')
    const told = await send({ 'content-type': BATCH }, text)
    expect(told.body).toMatchObject({ ok: true, results: [{ duplicate: true }, { duplicate: true }, { duplicate: true }] })
  })

  test('tells a gap in a header', async () => {
    const { headers } = await read('topics=thread:out&format=cloudevents&since=lost.1-0')
    expect(JSON.parse(headers.get('hubbub-gap')!)).toMatchObject({ from: 'lost.1-0', reason: 'epoch' })
  })

  test('comes to those who ask for it, and JSON to everybody else', async () => {
    const typeOf = async (query: string, accept?: string) => (await read(`topics=task:1${query}`, accept === undefined ? {} : { accept })).headers.get('content-type')!.split(';')[0]
    expect(await typeOf('')).toBe('application/json')
    expect(await typeOf('', '*/*')).toBe('application/json')
    expect(await typeOf('', `application/json;q=0.5, ${BATCH}`)).toBe(BATCH)
    expect(await typeOf('&format=json', BATCH)).toBe('application/json')
    expect(codeOf(await read('topics=task:1&format=xml'))).toEqual([400, 'INVALID_MESSAGE'])
  })

  test('shows its headers to pages of listed origins', async () => {
    const { headers } = await read('topics=task:1', { origin: 'https://a.example' })
    expect(headers.get('access-control-expose-headers')).toContain('Hubbub-Cursor')
  })
})
