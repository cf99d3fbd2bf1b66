/** SIGHUP: a new process for each old one, under live traffic, and nothing is lost or told twice (I1, I2, I8). */
import { connect, type Client } from '@hubbub/client'
import { rm, writeFile } from 'node:fs/promises'
import { generateKeyPairSync } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { problems, receiptOf, type Receipt } from '../harness/checker.js'
import { eventually } from '../harness/eventually.js'
import { freePort } from '../harness/port.js'
import { createProducer, overHttp } from '../harness/producer.js'
import { startRedis, type RedisProcess } from '../harness/redis.js'
import { stockClient } from '../harness/sink.js'
import { token } from '../harness/token.js'
import { childrenOf, figureOf, isAlive, startMachine } from './machine.js'

let redis: RedisProcess

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const STOCK = 20
const SDK = 10

test('three workers are replaced under 30 clients and live traffic: nothing is lost, nothing told twice', async () => {
  const machine = await startMachine(3, redis.url, { adminPort: await freePort() })
  const old = childrenOf(machine.pid)
  const coder = createProducer({ name: 'reload', send: overHttp(() => machine.url, token({ sub: 'reload', role: 'agent' })), batch: 5 })
  const sinks = await Promise.all(
    Array.from({ length: STOCK }, (_, place) => stockClient(machine.url, { token: token(), topics: ['task:reload'], client: { transports: place % 4 === 0 ? ['polling'] : place % 4 === 1 ? ['polling', 'websocket'] : ['websocket'] } })),
  )
  const clients: { client: Client; receipts: Receipt[]; gaps: unknown[] }[] = await Promise.all(
    Array.from({ length: SDK }, async () => {
      const one = { client: connect(machine.url, { token: () => token(), reconnect: { minMs: 50, maxMs: 500 } }), receipts: [] as Receipt[], gaps: [] as unknown[] }
      one.client.onGap((gap) => one.gaps.push(gap))
      const subscription = await one.client.subscribe('task:reload')
      subscription.on((event, { cursor }) => one.receipts.push(receiptOf(event, cursor)))
      return one
    }),
  )
  const over = new AbortController()
  const traffic = (async () => {
    while (!over.signal.aborted) {
      await coder.publish(10, 'reload')
      // As fast as they are heard; as fast as they are taken would leave new processes no time to start.
      await sinks[2]!.holds(coder.acked.size)
    }
  })().catch((error: unknown) => error)
  try {
    await machine.kill('SIGHUP')
    const all = ['p1.2', 'w1.2', 'w2.2', 'w3.2'].join()
    await eventually(async () => Object.keys(await figureOf(machine, 'hubbub_info')).toSorted().join() === all, 'a new process on each seat, and no old one', 90_000, 200)
  } finally {
    over.abort()
    expect(await traffic).toBeUndefined()
  }
  const count = coder.acked.size
  await Promise.all(sinks.map((sink) => sink.holds(count)))
  await eventually(() => clients.every(({ receipts }) => receipts.length >= count), 'the events of all clients', 20_000)
  for (const { receipts, gaps } of [...sinks.map((sink) => ({ receipts: sink.receipts(), gaps: sink.gaps })), ...clients]) {
    expect([problems(receipts, coder.acked.keys()), gaps]).toEqual([[], []])
  }
  // All had to go elsewhere at least once.
  for (const sink of sinks) expect(sink.connections.length).toBeGreaterThan(1)
  expect(old.filter(isAlive)).toEqual([])
  expect(childrenOf(machine.pid).length).toBe(4)
  for (const sink of sinks) sink.close()
  for (const { client } of clients) client.close()
  expect(await machine.stop()).toBe(0)
}, 150_000)

test('a reload whose first process does not start stops there, says why in one line, and the old ones stay', async () => {
  const file = join(tmpdir(), `hubbub-reload-${process.pid}.pem`)
  await writeFile(file, generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }))
  try {
    const machine = await startMachine(2, redis.url, { adminPort: await freePort(), env: { HUBBUB_JWT_PUBLIC_KEY_FILE: file, HUBBUB_LOG_LEVEL: 'error' } })
    const before = childrenOf(machine.pid)
    await rm(file)
    await machine.kill('SIGHUP')
    const line = await eventually(() => /"msg":"(reload: stopped.*)"\}\n/.exec(machine.stderr())?.[1], 'the line', 20_000)
    expect(line).toBe(`reload: stopped, 0 of 3 processes are new, the others stay: w1: HUBBUB_JWT_PUBLIC_KEY_FILE: '${file}' is not allowed; allowed: a readable PEM file with an RSA or P-256 public key`)
    expect(childrenOf(machine.pid)).toEqual(before)
    expect((await fetch(`${machine.url}/health/ready`)).status).toBe(200)
    expect(await machine.stop()).toBe(0)
  } finally {
    await rm(file, { force: true })
  }
}, 60_000)
