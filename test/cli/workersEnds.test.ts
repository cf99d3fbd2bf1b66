/** A machine at bad moments: asked to stop in the middle of something, out of descriptors, processes that die with connections on their way to them. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { get } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { eventually } from '../harness/eventually.js'
import { freePort } from '../harness/port.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { stockClient } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { childrenOf, isAlive, readySeats, startMachine, type Machine } from './machine.js'

/** Of /proc/net/tcp. */
const LISTENING = '0A'

let redis: RedisProcess

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const machineOf = async (env: Record<string, string> = {}): Promise<Machine> => await startMachine(2, redis.url, { adminPort: await freePort(), env })

test('a machine that is stopped in the middle of a reload ends in order: who was leaving takes its time', async () => {
  // A second between the first and the last of a worker's ten.
  const machine = await machineOf({ HUBBUB_CONNECT_RATE: '20' })
  const sinks = await Promise.all(Array.from({ length: 20 }, () => stockClient(machine.url, { token: token(), client: { transports: ['websocket'], reconnection: false } })))
  const reasons: string[] = []
  const warned = Promise.race(sinks.map(({ socket }) => new Promise((resolve) => socket.once('hub.draining', resolve))))
  for (const { socket } of sinks) socket.once('disconnect', (reason) => reasons.push(reason))
  await machine.kill('SIGHUP')
  await warned
  expect(await machine.stop()).toBe(0)
  expect(machine.stderr()).not.toContain('in order within')
  expect(machine.stderr()).not.toContain('did not stop in order')
  await eventually(() => reasons.length === 20, 'the end of all')
  for (const sink of sinks) sink.close()
}, 60_000)

test('a machine that stops takes what comes until a balancer noticed; asked twice it ends at once, and leaves neither process nor file', async () => {
  const TMPDIR = await mkdtemp(join(tmpdir(), 'hubbub-ends-'))
  try {
    const machine = await machineOf({ TMPDIR, HUBBUB_DRAIN_NOTICE_MS: '20000' })
    const children = childrenOf(machine.pid)
    expect(await readdir(TMPDIR)).toHaveLength(1)
    await machine.kill('SIGTERM')
    const status = (path: string) => new Promise<number | undefined>((resolve, reject) => get(`${machine.url}${path}`, { agent: false }, (response) => resolve(response.resume().statusCode)).once('error', reject))
    await eventually(async () => (await status('/health/ready')) === 503, 'not being ready')
    expect(await status('/health/live')).toBe(200)
    await machine.kill('SIGTERM')
    expect(await machine.exited).toEqual({ code: 143, signal: null })
    await eventually(() => !children.some(isAlive), 'the end of all processes')
    expect(await readdir(TMPDIR)).toEqual([])
  } finally {
    await rm(TMPDIR, { recursive: true, force: true })
  }
}, 60_000)

describe('a machine goes on', () => {
  let machine: Machine
  beforeAll(async () => {
    machine = await machineOf()
  }, 60_000)
  afterAll(() => machine.stop())

  const limit = (pid: number, descriptors: number) => promisify(execFile)('prlimit', ['--pid', String(pid), `--nofile=${descriptors}:`])
  const descriptors = () => readdirSync(`/proc/${machine.pid}/fd`)
  /** Connections to the machine's port that its primary has open. */
  const atPrimary = () => {
    const port = machine.port.toString(16).toUpperCase().padStart(4, '0')
    const sockets = readFileSync(`/proc/${machine.pid}/net/tcp`, 'utf8').split('\n').map((line) => line.trim().split(/\s+/))
    const named = new Set(sockets.flatMap(([, local, , state, , , , , , inode]) => (local?.endsWith(`:${port}`) && state !== LISTENING ? [`socket:[${inode}]`] : [])))
    return descriptors().filter((fd) => named.has(linkOf(`/proc/${machine.pid}/fd/${fd}`))).length
  }
  const whole = () => eventually(async () => (await readySeats(machine)).join() === 'w1,w2,p1', 'a process on each seat', 20_000)
  const dial = () => {
    const socket = connect(machine.port, '127.0.0.1', () => socket.write('GET /health/live HTTP/1.1\r\nHost: hub\r\n\r\n'))
    let isOver = false
    socket.resume().on('error', () => undefined).on('close', () => (isOver = true))
    return { isOver: () => isOver, end: () => socket.destroy() }
  }

  /** Seat of whoever takes a new connection; `fetch` would use one that it has. */
  const answerer = () => new Promise<string | undefined>((resolve, reject) => {
    get(`${machine.url}/metrics`, { agent: false }, (response) => {
      text(response).then((figures) => resolve(/^hubbub_info\{.*node="[^"]*-(w\d)"/m.exec(figures)?.[1]), reject)
    }).once('error', reject)
  })

  it('with a worker that had no descriptors for a while: it is given connections again', async () => {
    const starved = machine.workers[0]!
    // Whatever it has it keeps.
    await limit(starved, 3)
    const held = Array.from({ length: 20 }, dial)
    await eventually(() => held.filter(({ isOver }) => isOver()).length >= 8, 'the end of those that it could not take', 10_000)
    await limit(starved, 10_000)
    for (const { end } of held) end()
    await eventually(async () => (await answerer()) === 'w1', 'an answer of it', 10_000)
  }, 30_000)

  it('when a process could not be started for a while', async () => {
    await limit(machine.pid, 3)
    process.kill(machine.workers[0]!, 'SIGKILL')
    await eventually(() => machine.stderr().includes('it could not be started: spawn'), 'an attempt', 10_000)
    await limit(machine.pid, 10_000)
    await whole()
  }, 40_000)

  it('and ends what was on its way to processes that died', async () => {
    const before = descriptors().length
    const workers = childrenOf(machine.pid).filter((pid) => !machine.processors.includes(pid))
    for (const pid of workers) process.kill(pid, 'SIGSTOP')
    const waiting = Array.from({ length: 12 }, dial)
    await eventually(() => atPrimary() === 12, 'all connections at the primary')
    for (const pid of workers) process.kill(pid, 'SIGKILL')
    await eventually(() => waiting.every(({ isOver }) => isOver()), 'the end of all')
    await whole()
    await eventually(() => atPrimary() === 0 && descriptors().length <= before, 'as many descriptors as before')
  }, 40_000)
})

/** What a descriptor is; nothing when it was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
