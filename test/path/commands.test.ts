/** Commands from a client on one worker to an executor on another: one gets it, and whoever gave it hears what became of it. */
import type { Answer, CommandAnswer, CommandCall, CommandResult, HubEvent } from '@hubbub/protocol'
import { createClient } from 'redis'
import { startCluster, type Cluster } from '../harness/cluster.js'
import { eventually } from '../harness/eventually.js'
import { startHub } from '../harness/hub.js'
import { stockClient } from '../harness/sink.js'
import { tap, type Tap } from '../harness/tap.js'
import { token, type Claims } from '../harness/token.js'
import { startExecutor } from './executorProcess.js'

const WORKER_MS = 3000
const env = { HUBBUB_WORKER_MS: String(WORKER_MS), HUBBUB_MESSAGE_RATE: '10000', HUBBUB_MESSAGE_BURST: '10000' }

let cluster: Cluster
let journal: HubEvent[]

const url = (worker: number) => cluster.workers[worker]!.url
const client = (worker: number, claims: Claims = { role: 'service' }) => tap(url(worker), { auth: { token: token(claims) } })

interface Executor extends Tap {
  calls: CommandCall[]
}

/** Handles the commands on a worker; `carryOut` gives the answer, or none. */
async function executor(at: string, commands: string[], carryOut: (call: CommandCall) => unknown, claims: Claims = { sub: 'builder', role: 'agent' }): Promise<Executor> {
  const connected = Object.assign(await tap(at, { auth: { token: token(claims) } }), { calls: [] as CommandCall[] })
  connected.socket.on('command', (call: CommandCall, answer: (answer: unknown) => void) => {
    connected.calls.push(call)
    const told = carryOut(call)
    if (told !== undefined) answer(told)
  })
  await connected.must('command.handle', { commands })
  return connected
}

const done = (result: unknown): CommandAnswer => ({ ok: true, result })
const give = (from: Tap, command: string, payload: unknown = {}, timeoutMs?: number) => from.call<CommandResult>('command', { command, payload, timeoutMs })

function codeOf(answer: Answer<CommandResult>): string {
  return answer.ok ? 'ok' : answer.error.code
}

/** What the journal says of a command, in its order. */
async function story(commandId: string): Promise<HubEvent[]> {
  const facts = () => journal.filter(({ data }) => (data as { commandId?: string }).commandId === commandId)
  await eventually(() => facts().some(({ type }) => type !== 'command.started'), `the end of ${commandId}`)
  return facts()
}

const failedId = (answer: Answer<CommandResult>) => String(!answer.ok && answer.error.details?.['commandId'])

beforeAll(async () => {
  cluster = await startCluster({ workers: 3, processors: 1, env })
  const sink = await stockClient(url(0), { token: token(), topics: ['system'] })
  journal = []
  sink.socket.onAny((type: string, event: HubEvent) => type.startsWith('command.') && journal.push(event))
}, 60_000)
afterAll(async () => await cluster?.stop('kill'))

test('create_branch goes from a client on one worker to an executor on another, whichever of its names either uses', async () => {
  const builder = await executor(url(2), ['git.create_branch'], ({ payload }) => done({ branch: (payload as { name: string }).name }))
  const giver = await client(0, { sub: 'engine', role: 'service' })
  const answer = await giver.must<CommandResult>('command', { command: 'create_branch', payload: { name: 'fix/7', taskId: 't7' } })
  expect(answer).toMatchObject({ ok: true, result: { branch: 'fix/7' } })
  expect(builder.calls).toEqual([expect.objectContaining({ commandId: answer.commandId, command: 'git.create_branch', payload: { name: 'fix/7', taskId: 't7' }, by: '/services/engine' })])

  await builder.must('command.handle', { commands: ['create_branch'] })
  expect(codeOf(await give(giver, 'git.create_branch', { name: 'main' }))).toBe('ok')

  const [started, completed, ...more] = await story(answer.commandId)
  expect(started).toMatchObject({ type: 'command.started', data: { command: 'git.create_branch', by: '/services/engine' }, topics: expect.arrayContaining(['system', 'task:t7']) })
  expect(completed).toMatchObject({ type: 'command.completed', topics: expect.arrayContaining(['task:t7']), data: { durationMs: expect.any(Number) } })
  expect(more).toEqual([])
  expect(JSON.stringify([started, completed])).not.toContain('fix/7')
  builder.close()
})

test('without an executor it is NO_EXECUTOR, also when there was one, and when it handles something else by now', async () => {
  const giver = await client(0)
  const never = await give(giver, 'docs.build')
  expect(never).toMatchObject({ ok: false, error: { code: 'NO_EXECUTOR', retryable: true } })
  expect((await story(failedId(never))).map(({ type }) => type)).toEqual(['command.started', 'command.failed'])

  const writer = await executor(url(1), ['docs.build'], () => done(1))
  expect(codeOf(await give(giver, 'docs.build'))).toBe('ok')
  await writer.must('command.handle', { commands: ['docs.read'] })
  expect(codeOf(await give(giver, 'docs.build'))).toBe('NO_EXECUTOR')
  expect(codeOf(await give(giver, 'docs.read'))).toBe('ok')
  writer.close()
  await eventually(async () => codeOf(await give(giver, 'docs.read')) === 'NO_EXECUTOR', 'the executor to be gone')
})

test('an executor\'s error, and an answer that is none, are COMMAND_FAILED with what it said', async () => {
  const answers: Record<string, unknown> = {
    error: { ok: false, error: { code: 'CONFLICT', message: 'the branch exists' } },
    text: 'yes',
    bare: { result: 1 },
    wordless: { ok: false },
    huge: { ok: true, result: 'x'.repeat(100_000) },
  }
  const builder = await executor(url(2), ['answer.with'], ({ payload }) => answers[String(payload)])
  const giver = await client(0)
  const refused = await give(giver, 'answer.with', 'error')
  expect(refused).toMatchObject({ ok: false, error: { code: 'COMMAND_FAILED', retryable: false, details: { code: 'CONFLICT', message: 'the branch exists' } } })
  expect((await story(failedId(refused))).at(-1)).toMatchObject({ type: 'command.failed', data: { code: 'COMMAND_FAILED', message: 'the branch exists', durationMs: expect.any(Number) } })
  const details = async (payload: string) => {
    const answer = await give(giver, 'answer.with', payload)
    return [codeOf(answer), !answer.ok && answer.error.details?.['code']]
  }
  for (const malformed of ['text', 'bare', 'wordless']) expect([malformed, ...(await details(malformed))]).toEqual([malformed, 'COMMAND_FAILED', 'INVALID_MESSAGE'])
  expect(await details('huge')).toEqual(['COMMAND_FAILED', 'PAYLOAD_TOO_LARGE'])
  builder.close()
})

test('an executor that does not answer in time is COMMAND_TIMEOUT, and the executor is not asked again', async () => {
  const silent = await executor(url(2), ['think.hard'], () => undefined)
  const answer = await give(await client(0), 'think.hard', {}, 300)
  expect(answer).toMatchObject({ ok: false, error: { code: 'COMMAND_TIMEOUT' } })
  expect((await story(failedId(answer))).at(-1)).toMatchObject({ data: { code: 'COMMAND_TIMEOUT' } })
  expect(silent.calls).toHaveLength(1)
  silent.close()
})

test('an executor that disconnects in the middle is EXECUTOR_LOST, and nobody else is asked', async () => {
  const both = await Promise.all([1, 2].map((worker) => executor(url(worker), ['half.done'], () => undefined)))
  const answer = give(await client(0), 'half.done', {}, 20_000)
  const asked = await eventually(() => both.find(({ calls }) => calls.length > 0))
  asked.close()
  expect(codeOf(await answer)).toBe('EXECUTOR_LOST')
  expect(both.flatMap(({ calls }) => calls)).toHaveLength(1)
  for (const one of both) one.close()
})

test('an executor process that is killed in the middle is EXECUTOR_LOST', async () => {
  const process = await startExecutor(url(2), token({ sub: 'doomed', role: 'agent' }), 'doomed.work')
  const answer = give(await client(0), 'doomed.work', {}, 20_000)
  await eventually(() => process.taken().length > 0)
  await process.kill()
  expect(await answer).toMatchObject({ ok: false, error: { code: 'EXECUTOR_LOST', retryable: false } })
  expect((await story(failedId(await answer))).map(({ type }) => type)).toEqual(['command.started', 'command.failed'])
})

test('an executor whose worker is killed in the middle is EXECUTOR_LOST, and is not chosen afterwards', async () => {
  const doomed = await cluster.addWorker()
  const builder = await executor(doomed.url, ['doomed.worker'], () => undefined)
  const giver = await client(0)
  const answer = give(giver, 'doomed.worker', {}, 60_000)
  await eventually(() => builder.calls.length > 0)
  await doomed.kill('SIGKILL')
  expect(codeOf(await answer)).toBe('EXECUTOR_LOST')
  expect(codeOf(await give(giver, 'doomed.worker'))).toBe('NO_EXECUTOR')
}, 60_000)

test('a worker that ends in order loses what its executors had under way', async () => {
  const ending = await cluster.addWorker()
  const builder = await executor(ending.url, ['ending.worker'], () => undefined)
  const answer = give(await client(0), 'ending.worker', {}, 60_000)
  await eventually(() => builder.calls.length > 0)
  await ending.stop()
  expect(codeOf(await answer)).toBe('EXECUTOR_LOST')
}, 60_000)

test('who may not give a command, or not handle it, is refused, and any spelling of a grant counts', async () => {
  const agent = await client(0, { sub: 'coder', role: 'agent' })
  expect(await give(agent, 'create_branch')).toMatchObject({ ok: false, error: { code: 'INSUFFICIENT_PERMISSIONS', details: { needed: 'command:git.create_branch' } } })
  const viewer = await client(0, { role: 'viewer' })
  expect(await viewer.call('command.handle', { commands: ['a', 'b'] })).toMatchObject({ ok: false, error: { code: 'INSUFFICIENT_PERMISSIONS', details: { needed: 'handle:a' } } })
  const narrow = await client(0, { role: 'service', permissions: ['command:create_branch', 'handle:git.*'] })
  expect(await narrow.call('command.handle', { commands: ['create_branch'] })).toEqual({ ok: true, commands: ['git.create_branch'] })
  expect(codeOf(await give(narrow, 'docs.build'))).toBe('INSUFFICIENT_PERMISSIONS')
  narrow.socket.on('command', (_call: CommandCall, answer: (told: CommandAnswer) => void) => answer(done(null)))
  expect(codeOf(await give(narrow, 'git.create_branch'))).toBe('ok')
  narrow.close()
})

test('what is no command, and a payload that is too large, are refused before anybody hears of them', async () => {
  const giver = await client(0)
  const builder = await executor(url(1), ['any.thing'], () => done(1))
  for (const [request, code] of [
    [{}, 'INVALID_MESSAGE'],
    [{ command: 'task.*' }, 'INVALID_MESSAGE'],
    [{ command: 'any.thing', timeoutMs: 1 }, 'INVALID_MESSAGE'],
    [{ command: 'any.thing', payload: 'x'.repeat(100_000) }, 'PAYLOAD_TOO_LARGE'],
    [{ command: 'any.thing', payload: { __proto__x: 1, constructor: 1 } }, 'VALIDATION_ERROR'],
  ] as const) expect([request, codeOf(await giver.call('command', request))]).toEqual([request, code])
  expect(await giver.call('command.handle', { commands: Array.from({ length: 101 }, (_, n) => `c${n}`) })).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE' } })
  expect(await giver.call('command.handle', { commands: ['start_task'] })).toMatchObject({ ok: false, error: { code: 'INVALID_MESSAGE' } })
  expect(builder.calls).toEqual([])
  builder.close()
})

test('start_task and cancel_execution are carried out by the hub, and answered with the task', async () => {
  const giver = await client(0, { sub: 'engine', role: 'service' })
  const created = await giver.must<CommandResult>('command', { command: 'start_task', payload: { id: 'ordered', type: 'review' } })
  expect(created.result).toMatchObject({ kind: 'task', id: 'ordered', taskType: 'review', managed: true })
  expect((await story(created.commandId)).map(({ type, data }) => [type, (data as { command: string }).command])).toEqual([
    ['command.started', 'task.start'],
    ['command.completed', 'task.start'],
  ])
  const cancelled = await giver.must<CommandResult>('command', { command: 'cancel_execution', payload: { taskId: 'ordered', reason: 'not needed' } })
  expect(cancelled.result).toMatchObject({ id: 'ordered', status: 'cancelled' })
  expect((await story(cancelled.commandId))[0]).toMatchObject({ type: 'command.started', topics: expect.arrayContaining(['task:ordered']) })
  const unknown = await give(giver, 'cancel_execution', { taskId: 'never' })
  expect(unknown).toMatchObject({ ok: false, error: { code: 'TASK_NOT_FOUND' } })
  expect((await story(failedId(unknown))).at(-1)).toMatchObject({ type: 'command.failed', data: { code: 'TASK_NOT_FOUND' } })
})

test('executors of another project are nobody\'s (I6)', async () => {
  const stranger = await executor(url(1), ['secret.work'], () => done(1), { sub: 'stranger', role: 'agent', project: 'other' })
  expect(codeOf(await give(await client(0), 'secret.work'))).toBe('NO_EXECUTOR')
  expect(stranger.calls).toEqual([])
  stranger.close()
})

test('each of 50 commands goes to exactly one of two executors, and both have work', async () => {
  const both = await Promise.all([1, 2].map((worker) => executor(url(worker), ['shared.work'], ({ payload }) => done(payload))))
  const giver = await client(0)
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => giver.must<CommandResult>('command', { command: 'shared.work', payload: n })))
  expect(answers.map(({ result }) => result)).toEqual(Array.from({ length: 50 }, (_, n) => n))
  const taken = both.flatMap(({ calls }) => calls.map(({ commandId }) => commandId))
  expect(taken.sort()).toEqual(answers.map(({ commandId }) => commandId).sort())
  for (const { calls } of both) expect(calls.length).toBeGreaterThan(0)
  for (const { commandId } of answers) expect((await story(commandId)).map(({ type }) => type)).toEqual(['command.started', 'command.completed'])
  for (const one of both) one.close()
})

test('a frozen third worker disturbs no command between the others; an executor there is given up when its worker counts as dead', async () => {
  const frozen = await cluster.addWorker()
  const stuck = await executor(frozen.url, ['stuck.work'], () => done(1))
  const builder = await executor(url(2), ['brisk.work'], () => done(1))
  const giver = await client(0)
  await frozen.kill('SIGSTOP')
  const given = give(giver, 'stuck.work', {}, 60_000)
  for (let n = 0; n < 20; n++) expect(codeOf(await give(giver, 'brisk.work', {}, 2000))).toBe('ok')
  expect(codeOf(await given)).toBe('EXECUTOR_LOST')
  await frozen.kill('SIGCONT')
  // It was never seen to end: it takes what comes from now on.
  await eventually(async () => codeOf(await give(giver, 'stuck.work', {}, 2000)) === 'ok', 'the thawed worker', 20_000)
  stuck.close()
  builder.close()
}, 60_000)

test('one hub with the store in memory does without any wire', async () => {
  const alone = await startHub()
  const builder = await executor(alone.url, ['create_branch'], ({ payload }) => done(payload))
  const giver = await tap(alone.url, { auth: { token: token({ role: 'service' }) } })
  expect(await give(giver, 'create_branch', 1)).toMatchObject({ ok: true, result: 1 })
  builder.close()
  await eventually(async () => codeOf(await give(giver, 'create_branch')) === 'NO_EXECUTOR')
  await alone.stop()
})

test('dropped Redis connections hold commands up, and none is lost or carried out twice', async () => {
  const builder = await executor(url(2), ['steady.work'], ({ payload }) => done(payload))
  const giver = await client(0)
  const admin = createClient({ url: cluster.redis.url })
  await admin.connect()
  const codes: string[] = []
  for (let round = 0; round < 3; round++) {
    const underWay = Array.from({ length: 20 }, (_, n) => give(giver, 'steady.work', n, 20_000))
    for (const type of ['normal', 'pubsub']) await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes'])
    underWay.push(...Array.from({ length: 20 }, (_, n) => give(giver, 'steady.work', n, 20_000)))
    codes.push(...(await Promise.all(underWay)).map(codeOf))
  }
  admin.destroy()
  expect(codes.filter((code) => code !== 'ok')).toEqual([])
  expect(builder.calls).toHaveLength(120)
  expect(new Set(builder.calls.map(({ commandId }) => commandId)).size).toBe(120)
  builder.close()
}, 60_000)

test.each(['pubsub', 'streams'] as const)('commands pass over the %s adapter, too', async (adapter) => {
  const other = await startCluster({ workers: 2, processors: 1, adapter, env })
  try {
    const builder = await executor(other.workers[1]!.url, ['create_branch'], ({ payload }) => done(payload))
    const giver = await tap(other.workers[0]!.url, { auth: { token: token({ role: 'service' }) } })
    for (let n = 0; n < 5; n++) expect(await give(giver, 'create_branch', { n })).toMatchObject({ ok: true, result: { n } })
    builder.close()
    giver.close()
  } finally {
    await other.stop('kill')
  }
}, 60_000)
