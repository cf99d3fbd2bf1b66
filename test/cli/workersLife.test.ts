/** What becomes of a machine's processes: the dead are replaced (I2, I8), nobody outlives the primary, and what cannot go on says why. */
import { rm, writeFile } from 'node:fs/promises'
import { generateKeyPairSync } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { problems } from '../harness/checker.js'
import { eventually } from '../harness/eventually.js'
import { freePort } from '../harness/port.js'
import { createProducer, overHttp } from '../harness/producer.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { stockClient } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { startCommand } from './command.js'
import { childrenOf, figureOf, isAlive, readySeats, startMachine, type Machine } from './machine.js'

let redis: RedisProcess

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const machineOf = async (workers: number, options: { args?: string[]; env?: Record<string, string> } = {}): Promise<Machine> =>
  await startMachine(workers, redis.url, { adminPort: await freePort(), ...options })

describe('a process of the machine that dies', () => {
  let machine: Machine
  beforeAll(async () => {
    machine = await machineOf(2)
  }, 60_000)
  afterAll(() => machine.stop())

  it('is replaced, and its clients miss nothing: a worker', async () => {
    const coder = createProducer({ name: 'life', send: overHttp(() => machine.url, token({ sub: 'life', role: 'agent' })) })
    const transports = [['websocket'], ['websocket'], ['polling'], ['polling'], ['polling', 'websocket'], ['polling', 'websocket']]
    const sinks = await Promise.all(transports.map((way) => stockClient(machine.url, { token: token(), topics: ['task:life'], client: { transports: way } })))
    const underWay = coder.publish(300, 'life')
    await Promise.all(sinks.map((sink) => sink.holds(50)))
    process.kill(machine.workers[0]!, 'SIGKILL')
    await underWay
    await coder.publish(100, 'life')
    await Promise.all(sinks.map((sink) => sink.holds(400)))
    for (const sink of sinks) expect([problems(sink.receipts(), coder.acked.keys()), sink.gaps]).toEqual([[], []])
    // Half of them were there.
    expect(sinks.filter(({ connections }) => connections.length > 1).length).toBeGreaterThanOrEqual(2)
    await eventually(async () => (await readySeats(machine)).join() === 'w1,w2,p1', 'the worker that takes its place')
    expect(Object.keys(await figureOf(machine, 'hubbub_info')).toSorted()).toEqual(['p1', 'w1.2', 'w2'])
    for (const sink of sinks) sink.close()
  }, 40_000)

  it('is replaced, and what was published is committed: a processor', async () => {
    process.kill(machine.processors[0]!, 'SIGKILL')
    await eventually(async () => (await readySeats(machine)).length === 3, 'the processor that takes its place', 20_000)
    const coder = createProducer({ name: 'after', send: overHttp(() => machine.url, token({ sub: 'after', role: 'agent' })) })
    await coder.publish(10, 'after')
    expect(coder.acked.size).toBe(10)
  }, 40_000)

  it('holds up none but those it was given while it is frozen', async () => {
    const [frozen] = childrenOf(machine.pid)
    process.kill(frozen!, 'SIGSTOP')
    try {
      // Each on a connection of its own; one or two may be with the frozen one before that shows.
      const answers = await Promise.allSettled(
        Array.from({ length: 12 }, (_, place) => fetch(`${machine.url}/health/live?${place}`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(4000) }).then(({ status }) => status)),
      )
      expect(answers.filter((answer) => answer.status === 'fulfilled' && answer.value === 200).length).toBeGreaterThanOrEqual(6)
      for (let turn = 0; turn < 5; turn++) expect((await fetch(`${machine.url}/health/live`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(4000) })).status).toBe(200)
    } finally {
      process.kill(frozen!, 'SIGCONT')
    }
  }, 20_000)
})

describe('a primary', () => {
  it('that is stopped ends all in order, with exit code 0', async () => {
    const machine = await machineOf(2)
    const children = childrenOf(machine.pid)
    expect(children.length).toBe(3)
    const sink = await stockClient(machine.url, { token: token(), topics: ['task:*'] })
    expect(await machine.stop()).toBe(0)
    expect(children.filter(isAlive)).toEqual([])
    sink.close()
  }, 40_000)

  it('that is killed leaves no process behind', async () => {
    const machine = await machineOf(2)
    const children = childrenOf(machine.pid)
    await machine.kill('SIGKILL')
    await eventually(() => children.every((pid) => !isAlive(pid)), 'the end of all processes', 15_000)
  }, 40_000)

  it('ends with one line when a setting is wrong that only its processes can know', async () => {
    const hub = startCommand(['up', '--workers', '2', '--redis', redis.url, '--port', '0'], { HUBBUB_JWKS_FILE: '/nowhere/keys.json', HUBBUB_LOG_LEVEL: 'warn' })
    expect(await hub.exited).toEqual({ code: 2, signal: null })
    expect([hub.stdout(), hub.stderr()]).toEqual(['', "hubbub: HUBBUB_JWKS_FILE: '/nowhere/keys.json' is not allowed; allowed: a readable JWKS file with an RSA or P-256 public key\n"])
  }, 20_000)

  it('ends with one line when a process falls again and again before it is ready, instead of starting it for ever', async () => {
    const file = join(tmpdir(), `hubbub-key-${process.pid}.pem`)
    await writeFile(file, generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }))
    try {
      const hub = startCommand(['up', '--workers', '2', '--redis', redis.url, '--port', '0', '--json'], { HUBBUB_JWT_PUBLIC_KEY_FILE: file, HUBBUB_LOG_LEVEL: 'silent' })
      const { workers } = JSON.parse(await eventually(() => /^\{.*\}$/m.exec(hub.stdout())?.[0], 'the machine', 30_000)) as { workers: number[] }
      const children = childrenOf(hub.child.pid!)
      await rm(file)
      process.kill(workers[0]!, 'SIGKILL')
      expect(await hub.exited).toEqual({ code: 2, signal: null })
      expect(hub.stderr()).toBe(`hubbub: HUBBUB_JWT_PUBLIC_KEY_FILE: '${file}' is not allowed; allowed: a readable PEM file with an RSA or P-256 public key\n`)
      expect(children.filter(isAlive)).toEqual([])
    } finally {
      await rm(file, { force: true })
    }
  }, 60_000)
})
