/** An event's way as spans of one trace, written by the processes through which it went. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { partitionOf } from '@hubbub/protocol'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { startHub } from '../harness/hub.js'
import { stockClient } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { startReceiver, type Receiver } from '../observe/otlp.js'
import { readDeliveries, sign } from './deliveries.js'

const traceparent = (sampled = true) => `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-0${sampled ? 1 : 0}`
const traceOf = (parent: string) => parent.split('-')[1]!
const spanOf = (parent: string) => parent.split('-')[2]!

let receiver: Receiver
let cluster: Cluster
const SECRET = 'a secret of GitHub'
/** Spans wait for so long for company, ms. */
const QUICK = { OTEL_BSP_SCHEDULE_DELAY: '50' }

async function publish(url: string, event: object, headers: Record<string, string> = {}): Promise<{ ok: boolean; id: string; error?: { code: string } }> {
  const answer = await fetch(`${url}/api/v1/events`, { method: 'POST', headers: { authorization: `Bearer ${token()}`, ...headers }, body: JSON.stringify(event) })
  return (await answer.json()) as { ok: boolean; id: string }
}

/** Of a task of its own: readers of other tests may still be leaving. */
const progress = (more: { id?: string; metadata?: object } = {}) => ({ type: 'task.progress', data: { taskId: more.id ?? 'T', progress: 40 }, ...more })

describe('with a receiver, a worker and a processor', () => {
  beforeAll(async () => {
    receiver = await startReceiver()
    cluster = await startCluster({ workers: 1, processors: 1, env: { ...QUICK, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SERVICE_NAME: 'the-hub', HUBBUB_GITHUB_SECRET: SECRET, OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=tests' } })
  }, 60_000)
  afterAll(async () => {
    await cluster?.stop()
    await receiver?.close()
  })
  const url = () => cluster.workers[0]!.url
  const whole = (traceId: string, count: number) => eventually(() => receiver.trace(traceId).length >= count && receiver.trace(traceId), `${count} spans of the trace`)

  test('one publish with a traceparent is three spans of that trace, each under the one before', async () => {
    const readers = await Promise.all([1, 2, 3].map(() => stockClient(url(), { token: token(), topics: ['task:e-1'] })))
    const parent = traceparent()
    await publish(url(), progress({ id: 'e-1', metadata: { traceparent: parent } }))
    await readers[0]!.holds(1)
    const [published, committed, delivered, ...more] = await whole(traceOf(parent), 3)
    expect(more).toEqual([])
    expect([published!.name, committed!.name, delivered!.name]).toEqual(['hubbub.publish', 'hubbub.commit', 'hubbub.deliver'])
    expect([published!.parentSpanId, committed!.parentSpanId, delivered!.parentSpanId]).toEqual([spanOf(parent), published!.spanId, committed!.spanId])
    expect([published!.kind, committed!.kind, delivered!.kind]).toEqual([4, 5, 1])
    // In time: one within or behind the other, none of no time or of hours.
    expect(published!.start <= committed!.start && committed!.start <= delivered!.start && committed!.end <= delivered!.end).toBe(true)
    for (const { start, end } of [published!, committed!, delivered!]) expect(Number(end - start) / 1e6).toBeLessThan(10_000)
    expect(Math.abs(Number(published!.start / 1_000_000n) - Date.now())).toBeLessThan(60_000)
    // By the two processes, and with what one looks for.
    expect(published!.resource).toMatchObject({ 'service.name': 'the-hub', 'hubbub.role': 'worker', 'deployment.environment.name': 'tests' })
    expect([committed!.resource['hubbub.role'], delivered!.resource['hubbub.role']]).toEqual(['processor', 'worker'])
    const common = { 'messaging.system': 'hubbub', 'messaging.message.id': 'e-1', 'hubbub.project': 'default', 'hubbub.type': 'task.progress' }
    expect(published!.attributes).toMatchObject(common)
    expect(committed!.attributes).toMatchObject({ ...common, 'hubbub.partition': partitionOf('default', 4), 'hubbub.offset': published!.attributes['hubbub.offset'], 'messaging.batch.message_count': 1 })
    // Three sockets, one span.
    expect(delivered!.attributes).toMatchObject({ ...common, 'hubbub.sessions': 3, 'hubbub.offset': published!.attributes['hubbub.offset'] })
    // What the producer said stands as it was said.
    expect(readers[0]!.events[0]!.event.metadata.traceparent).toBe(parent)
    for (const reader of readers) reader.close()
  })

  test('the header of the request counts for events without a trace of their own', async () => {
    const [header, own] = [traceparent(), traceparent()]
    await publish(url(), { events: [progress({ id: 'h-1' }), progress({ id: 'h-2', metadata: { traceparent: own } })] }, { traceparent: header })
    const spans = await whole(traceOf(header), 2)
    expect(spans.map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([['hubbub.publish', spanOf(header)], ['hubbub.commit', spans[0]!.spanId]])
    expect((await whole(traceOf(own), 2)).map(({ attributes }) => attributes['messaging.message.id'])).toEqual(['h-2', 'h-2'])
  })

  test('and so does that of a webhook, and of a CloudEvent', async () => {
    const [ofWebhook, ofCloud] = [traceparent(), traceparent()]
    const { id, name, body } = readDeliveries().find((delivery) => delivery.name === 'push')!
    const headers = { 'X-GitHub-Event': name, 'X-GitHub-Delivery': id, 'X-Hub-Signature-256': sign(SECRET, body), 'Content-Type': 'application/json', traceparent: ofWebhook }
    expect((await fetch(`${url()}/webhooks/github`, { method: 'POST', headers, body })).status).toBe(202)
    expect((await whole(traceOf(ofWebhook), 2)).map(({ name: span, attributes }) => [span, attributes['hubbub.type']])).toEqual([['hubbub.publish', 'github.push'], ['hubbub.commit', 'github.push']])
    const cloud = { specversion: '1.0', id: 'c-1', source: '/x', type: 'task.progress', data: { taskId: 'c-1', progress: 1 } }
    expect((await publish(url(), cloud, { 'content-type': 'application/cloudevents+json', traceparent: ofCloud })).ok).toBe(true)
    expect((await whole(traceOf(ofCloud), 2)).map(({ parentSpanId }) => parentSpanId)[0]).toBe(spanOf(ofCloud))
  })

  test('a header that cannot be read refuses nothing', async () => {
    for (const header of ['nonsense', '00-00000000000000000000000000000000-0000000000000000-01', `ff${traceparent().slice(2)}`, `${traceparent()}-more`]) expect((await publish(url(), progress(), { traceparent: header })).ok).toBe(true)
  })

  test('an event that nobody traces begins a trace, and names it to its subscribers', async () => {
    const reader = await stockClient(url(), { token: token(), topics: ['task:root'] })
    await publish(url(), progress({ id: 'root' }))
    await reader.holds(1)
    const { traceparent: given } = reader.events[0]!.event.metadata
    const [published, committed, delivered] = await whole(traceOf(given!), 3)
    expect([published!.parentSpanId, published!.spanId]).toEqual([undefined, spanOf(given!)])
    expect([committed!.parentSpanId, delivered!.parentSpanId]).toEqual([published!.spanId, committed!.spanId])
    reader.close()
  })

  test('what its producer did not sample has no spans, and one that is repeated or refused has its own', async () => {
    const [unsampled, twice, refused] = [traceparent(false), traceparent(), traceparent()]
    await publish(url(), progress({ id: 'u-1', metadata: { traceparent: unsampled } }))
    for (let time = 0; time < 2; time++) await publish(url(), progress({ id: 'd-1', metadata: { traceparent: twice } }))
    await publish(url(), { type: 'task.progress', data: { progress: 4000 }, metadata: { traceparent: refused } })
    const spans = await whole(traceOf(twice), 3)
    expect(spans.map(({ name }) => name).sort()).toEqual(['hubbub.commit', 'hubbub.publish', 'hubbub.publish'])
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(3)
    expect(spans.filter(({ attributes }) => attributes['hubbub.duplicate'] === true)).toHaveLength(1)
    const [error] = await whole(traceOf(refused), 1)
    expect([error!.name, error!.status, error!.attributes['error.type']]).toEqual(['hubbub.publish', 2, 'VALIDATION_ERROR'])
    expect(receiver.trace(traceOf(unsampled))).toEqual([])
  })

  test('what follows from an event is under its commit', async () => {
    const parent = traceparent()
    const [pipelineId, taskId] = ['P-1', 'T-7']
    await publish(url(), { id: 'made', type: 'pipeline.created', data: { pipelineId, stages: [] } })
    await publish(url(), { id: 'cause', type: 'task.created', data: { taskId, pipelineId }, metadata: { traceparent: parent } })
    const spans = await whole(traceOf(parent), 3)
    const cause = spans.find(({ name, attributes }) => name === 'hubbub.commit' && attributes['messaging.message.id'] === 'cause')
    const derived = spans.filter(({ attributes }) => attributes['hubbub.derived'] === true)
    expect(derived.length).toBeGreaterThan(0)
    for (const { parentSpanId } of derived) expect(parentSpanId).toBe(cause!.spanId)
  })
})

test('with a ratio of 0 nothing that nobody traces has spans or a traceparent', async () => {
  const { url, ...rest } = await startReceiver()
  const hub = await startHub({ env: { ...QUICK, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/v1/traces`, OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' } })
  const reader = await stockClient(hub.url, { token: token(), topics: ['task:*'] })
  const parent = traceparent()
  await publish(hub.url, progress({ id: 'plain' }))
  await publish(hub.url, progress({ id: 'traced', metadata: { traceparent: parent } }))
  await reader.holds(2)
  expect(reader.events.map(({ event }) => event.metadata.traceparent)).toEqual([undefined, parent])
  await eventually(() => rest.trace(traceOf(parent)).length === 3, 'the spans of the traced one')
  expect(rest.spans).toHaveLength(3)
  reader.close()
  await hub.stop()
  await rest.close()
})

test('a hub that stops hands over what waits, within its time', async () => {
  const { url, ...rest } = await startReceiver()
  const hub = await startHub({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: '600000' } })
  const parent = traceparent()
  await publish(hub.url, progress({ metadata: { traceparent: parent } }))
  expect(await hub.stop()).toBe(0)
  expect(rest.trace(traceOf(parent)).map(({ name }) => name)).toEqual(['hubbub.publish', 'hubbub.commit'])
  await rest.close()
})

test('a receiver that is away costs one line, and nothing else', async () => {
  const { url, close } = await startReceiver()
  await close()
  const hub = await startHub({ env: { ...QUICK, OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_MAX_QUEUE_SIZE: '20', OTEL_EXPORTER_OTLP_TIMEOUT: '300' } })
  const lost = async () => Number(/^hubbub_spans_total\{outcome="lost"\} (\d+)$/m.exec(await (await fetch(`${hub.url}/metrics`)).text())?.[1] ?? 0)
  for (let batch = 0; batch < 20; batch++) {
    const answers = await publish(hub.url, { events: Array.from({ length: 100 }, (_, place) => progress({ id: `${batch}-${place}` })) })
    expect(answers.ok).toBe(true)
  }
  const told = () => hub.stderr().split('\n').filter((line) => line.includes('spans'))
  await eventually(() => told().length > 0, 'the line')
  // Two spans an event, of which at most 20 wait.
  await eventually(async () => (await lost()) >= 3980, 'the loss to be counted')
  expect(told().map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['spans cannot be exported; they are lost until their receiver is back'])
  expect(await hub.stop()).toBe(0)
}, 60_000)

describe('without an endpoint', () => {
  const loaded = async (env: Record<string, string>): Promise<string[]> => {
    // What V8 executed, by its address, is written when the process ends.
    const folder = await mkdtemp(join(tmpdir(), 'hubbub-loaded-'))
    const hub = await startHub({ env: { ...env, NODE_V8_COVERAGE: folder } })
    await publish(hub.url, progress())
    expect(await hub.stop()).toBe(0)
    const files = await readdir(folder)
    const scripts = await Promise.all(files.map(async (file) => (JSON.parse(await readFile(join(folder, file), 'utf8')) as { result: { url: string }[] }).result.map(({ url }) => url)))
    await rm(folder, { recursive: true, force: true })
    return scripts.flat()
  }

  test('nothing of OpenTelemetry is loaded', async () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_EXPORTER_OTLP_TIMEOUT: '200' }
    const [without, disabled, having] = await Promise.all([loaded({}), loaded({ ...endpoint, OTEL_SDK_DISABLED: 'true' }), loaded(endpoint)])
    // Redis' client brings the API, which is a few empty functions.
    const telemetry = (scripts: string[]) => scripts.filter((url) => /@opentelemetry\/(?!api\/)|tracing-sdk/.test(url))
    expect(without.some((url) => url.endsWith('/observe/tracing.js'))).toBe(true)
    expect([telemetry(without), telemetry(disabled)]).toEqual([[], []])
    expect(telemetry(having).length).toBeGreaterThan(10)
  }, 60_000)
})
