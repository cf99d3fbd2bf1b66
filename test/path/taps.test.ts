/** A debug tap, switched on at run time by the command line: what is tapped is told at every stage by the process where it happens. */
import { command } from '../cli/command.js'
import { ask } from '../harness/ask.js'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import type { HubProcess } from '../harness/hub.js'
import { stockClient } from '../harness/sink.js'
import { token } from '../harness/token.js'

type Line = Record<string, unknown>

let cluster: Cluster
let env: Record<string, string>
const operator = token({ sub: 'root', projects: ['*'], project: 'default' })
const admin = token({ sub: 'boss' })
const stranger = token({ sub: 'other-boss', project: 'other' })

/** Lines of a tap in the log of a process. */
const linesOf = (hub: HubProcess, tap: string): Line[] => hub.stderr().split('\n').filter((line) => line.includes(`"tap":"${tap}"`)).map((line) => JSON.parse(line) as Line)
const stagesOf = (hub: HubProcess, tap: string) => linesOf(hub, tap).map(({ stage, event, way }) => [stage, event, ...(way === undefined ? [] : [way])])
const on = (hub: HubProcess, count: number) => eventually(async () => (await (await fetch(`${hub.url}/metrics`)).text()).includes(`hubbub_taps ${count}\n`), `${count} taps in ${hub.url}`)
const everywhere = (count: number) => Promise.all([...cluster.workers, ...cluster.processors].map((hub) => on(hub, count)))
const publish = (event: object, as = admin, worker = 0) => ask(`${cluster.workers[worker]!.url}/api/v1/events`, { method: 'POST', headers: { authorization: `Bearer ${as}` }, body: JSON.stringify(event) })
const taps = (as: string, method: string, path = '', body?: object, worker = 0) =>
  ask(`${cluster.workers[worker]!.url}/api/v1/taps${path}`, { method, headers: { authorization: `Bearer ${as}` }, ...(body && { body: JSON.stringify(body) }) })
const json = (text: string) => text.trimEnd().split('\n').filter(Boolean).map((line) => JSON.parse(line) as Line)

beforeAll(async () => {
  cluster = await startCluster({ workers: 2, processors: 1, env: { HUBBUB_TAP_POLL_MS: '100', HUBBUB_TAPS: '3', HUBBUB_LOG_LEVEL: 'error' } })
  env = { HUBBUB_URL: cluster.workers[0]!.url, HUBBUB_TOKEN: operator }
}, 60_000)
afterAll(() => cluster?.stop())

describe('hubbub tap', () => {
  test('has an event told where it came in, where it was committed and where it was delivered', async () => {
    const [first, second] = cluster.workers as [HubProcess, HubProcess]
    const [processor] = cluster.processors as [HubProcess]
    const reader = await stockClient(second.url, { token: admin, topics: ['task:*'] })
    const { code, stdout } = await command(['tap', '--topic', 'task:42', '--for', '1m'], env)
    const [tap] = json(stdout)
    expect([code, tap]).toEqual([0, expect.objectContaining({ ok: true, topic: 'task:42', project: '*', values: false, sample: 1, by: 'root' })])
    const id = String(tap!['id'])
    await everywhere(1)
    await publish({ id: 'e-1', type: 'task.progress', data: { taskId: '42', progress: 40, message: 'the password is hunter2' } })
    await publish({ id: 'e-2', type: 'task.progress', data: { taskId: '43', progress: 40 } })
    await publish({ id: 'e-3', type: 'task.progress', data: { taskId: '42', progress: 4000 } })
    await reader.holds(2)
    await eventually(() => linesOf(second, id).length > 0 && linesOf(processor, id).length > 0, 'the lines')
    // A reader that comes later, and reads it from the journal.
    const late = await stockClient(first.url, { token: admin, topics: ['task:42'] })
    expect(stagesOf(first, id)).toEqual([['received', 'e-1'], ['refused', 'e-3']])
    expect(stagesOf(processor, id)).toEqual([['committed', 'e-1']])
    expect(stagesOf(second, id)).toEqual([['delivered', 'e-1', 'live']])
    expect(linesOf(first, id)).toMatchObject([{ by: '/users/boss', bytes: 65, project: 'default', data: { taskId: 'string(2)', progress: 'number', message: 'string(23)' } }, { code: 'VALIDATION_ERROR' }])
    expect(linesOf(processor, id)[0]).toMatchObject({ offset: expect.stringMatching(/^\d+-\d+$/), batch: expect.any(Number) })
    expect(linesOf(second, id)[0]).toMatchObject({ sessions: 1, offset: linesOf(processor, id)[0]!['offset'] })
    for (const hub of [first, second, processor]) expect(hub.stderr()).not.toContain('hunter2')
    expect(json((await command(['tap', '--list'], env)).stdout)).toEqual([expect.objectContaining({ id })])
    expect(await command(['tap', '--off', id], env)).toMatchObject({ code: 0, stdout: `{"ok":true,"id":"${id}"}\n` })
    await everywhere(0)
    expect(await command(['tap', '--list'], env)).toMatchObject({ code: 0, stdout: '' })
    const before = first.stderr()
    await publish({ id: 'e-4', type: 'task.progress', data: { taskId: '42', progress: 50 } })
    expect(first.stderr()).toBe(before)
    for (const client of [reader, late]) client.close()
  })

  test('ends by itself, everywhere', async () => {
    expect((await taps(operator, 'POST', '', { id: 'short', topic: '*', seconds: 1 })).body).toMatchObject({ ok: true, id: 'short' })
    await everywhere(1)
    await everywhere(0)
    expect((await taps(operator, 'GET')).body).toMatchObject({ taps: [] })
  })

  test('hears a connection\'s messages, and values without their secrets', async () => {
    const [worker] = cluster.workers as [HubProcess]
    const client = await stockClient(worker.url, { token: token({ sub: 'coder-1', role: 'agent' }) })
    expect((await taps(admin, 'POST', '?values=true', { id: 'conn', connection: client.socket.id })).status).toBe(201)
    await client.socket.emitWithAck('publish', { type: 'task.progress', data: { taskId: 'T', progress: 1, apiKey: 'hunter2' } })
    await client.socket.emitWithAck('subscribe', { topics: ['nonsense'] })
    expect(linesOf(worker, 'conn')).toMatchObject([
      { stage: 'message', subject: 'coder-1', message: 'publish', data: { type: 'task.progress', data: { taskId: 'T', apiKey: '***' } } },
      { stage: 'message', message: 'subscribe', data: { topics: ['nonsense'] } },
      { stage: 'refused', message: 'subscribe', code: 'INVALID_TOPIC' },
    ])
    expect((await taps(admin, 'DELETE', '/conn')).status).toBe(200)
    client.close()
  })

  test('a process that starts while it is on learns of it', async () => {
    await taps(operator, 'POST', '', { id: 'early', topic: 'task:*' })
    const worker = await cluster.addWorker()
    await on(worker, 1)
    await publish({ id: 'n-1', type: 'task.progress', data: { taskId: 'N', progress: 1 } }, admin, 2)
    expect(stagesOf(worker, 'early')).toEqual([['received', 'n-1']])
    await taps(operator, 'DELETE', '/early')
    await everywhere(0)
  })

  test('says what is wrong', async () => {
    for (const args of [[], ['--topic', 'a b'], ['--type', 'X Y'], ['--topic', '*', '--for', '2h'], ['--topic', '*', '--sample', '2'], ['on']]) expect([args, (await command(['tap', ...args], env)).code]).toEqual([args, 2])
    expect(await command(['tap', '--off', 'none'], env)).toMatchObject({ code: 1, stderr: expect.stringContaining('NOT_FOUND') })
    expect(await command(['tap', '--topic', '*'], { ...env, HUBBUB_TOKEN: token({ role: 'service' }) })).toMatchObject({ code: 1, stderr: expect.stringContaining('INSUFFICIENT_PERMISSIONS') })
  })
})

describe('an admin of one project (I6)', () => {
  test('taps nothing of another one, and sees nobody else\'s taps', async () => {
    const [worker] = cluster.workers as [HubProcess]
    expect((await taps(stranger, 'POST', '', { id: 'theirs', topic: '*' })).body).toMatchObject({ ok: true, project: 'other' })
    expect((await taps(operator, 'POST', '', { id: 'all', topic: '*' })).body).toMatchObject({ ok: true, project: '*' })
    await on(worker, 2)
    await publish({ id: 'mine', type: 'task.progress', data: { taskId: 'X', progress: 1 } })
    await publish({ id: 'other', type: 'task.progress', data: { taskId: 'X', progress: 1 } }, stranger)
    expect(stagesOf(worker, 'theirs')).toEqual([['received', 'other']])
    expect(stagesOf(worker, 'all').map(([, event]) => event)).toEqual(['mine', 'other'])
    const ids = async (as: string) => ((await taps(as, 'GET')).body as unknown as { taps: { id: string }[] }).taps.map(({ id }) => id).sort()
    expect([await ids(stranger), await ids(admin), await ids(operator)]).toEqual([['theirs'], [], ['all', 'theirs']])
    expect((await taps(admin, 'DELETE', '/theirs')).body.error?.code).toBe('NOT_FOUND')
    expect((await taps(stranger, 'DELETE', '/all')).body.error?.code).toBe('NOT_FOUND')
    expect((await taps(stranger, 'POST', '', { topic: '*', project: 'default' })).body.error?.code).toBe('WRONG_PROJECT')
    for (const [as, id] of [[stranger, 'theirs'], [operator, 'all']] as const) await taps(as, 'DELETE', `/${id}`)
    await on(worker, 0)
  })

  test('may have so many on at once; one of the same name takes its place', async () => {
    for (const id of ['a', 'b', 'c', 'c']) expect((await taps(admin, 'POST', '', { id, topic: '*' })).status).toBe(201)
    expect((await taps(admin, 'POST', '', { id: 'd', topic: '*' })).body.error).toMatchObject({ code: 'BUSINESS_LOGIC_ERROR', details: { limit: 3, setting: 'HUBBUB_TAPS' } })
    expect((await taps(stranger, 'POST', '', { id: 'd', topic: '*' })).status).toBe(201)
    for (const id of ['a', 'b', 'c']) await taps(admin, 'DELETE', `/${id}`)
    await taps(stranger, 'DELETE', '/d')
  })

  test.each<[string, object, string]>([
    ['nothing', {}, 'INVALID_MESSAGE'], ['a misspelt field', { topics: ['*'] }, 'INVALID_MESSAGE'], ['no topic', { topic: 'a b' }, 'INVALID_TOPIC'], ['no type', { type: '..' }, 'INVALID_MESSAGE'], ['no share', { topic: '*', sample: 0 }, 'INVALID_MESSAGE'],
    ['too long a time', { topic: '*', seconds: 3601 }, 'INVALID_MESSAGE'], ['half a second', { topic: '*', seconds: 0.5 }, 'INVALID_MESSAGE'], ['a connection and a topic', { topic: '*', connection: 'x' }, 'INVALID_MESSAGE'], ['an id with a path', { topic: '*', id: '../x' }, 'INVALID_MESSAGE'],
    ['a long subject', { subject: 'x'.repeat(2000) }, 'INVALID_MESSAGE'],
  ])('asks for %s and is told what is wrong', async (_, body, code) => {
    expect((await taps(admin, 'POST', '', body)).body.error?.code).toBe(code)
  })
})
