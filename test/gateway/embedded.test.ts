import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHub, signToken } from '@hubbub/server'
import { createClient } from 'redis'
import { io } from 'socket.io-client'
import { silent } from '../../server/src/observe/log.js'
import { eventually } from '../harness/eventually.js'
import { startRedis } from '../harness/redis.js'

const secret = 'of this test only, but long enough to be one'

test("a hub in somebody's own server answers its paths and leaves the rest alone", async () => {
  const server = createServer((request, response) => response.end(`mine: ${request.url}`))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const seen: string[] = []
  const hub = await createHub({
    server,
    log: silent,
    settings: { jwtSecret: secret },
    onConnect: ({ subject }) => seen.push(`+${subject}`),
    onDisconnect: ({ subject }) => seen.push(`-${subject}`),
  })
  try {
    expect(await (await fetch(`${url}/page`)).text()).toBe('mine: /page')
    expect((await fetch(`${url}/health/ready`)).status).toBe(200)
    const handled: unknown[] = []
    const stop = await hub.on('task:*', (event) => handled.push(event.data))
    const client = io(url, { auth: { token: signToken(secret, { sub: 'someone', role: 'service' }, '1h') }, transports: ['websocket'] })
    try {
      await new Promise<void>((resolve) => client.on('connect', () => resolve()))
      await client.emitWithAck('publish', { type: 'task.progress', data: { taskId: '1', progress: 10 } })
      const { offset } = await hub.publish('task.progress', { taskId: '1', progress: 20 })
      expect(offset).toMatch(/^\d+-\d+$/)
      await eventually(() => handled.length === 2)
      expect(handled).toEqual([{ taskId: '1', progress: 10 }, { taskId: '1', progress: 20 }])
      await stop()
      await hub.publish('task.progress', { taskId: '1', progress: 30 })
      expect(handled.length).toBe(2)
    } finally {
      client.close()
    }
    await eventually(() => seen.length === 2)
    expect(seen).toEqual(['+someone', '-someone'])
  } finally {
    await hub.close()
    expect(await (await fetch(`${url}/health/ready`)).text()).toBe('mine: /health/ready')
    server.close()
  }
})

test('a hub that finds its port taken is none: it leaves no connection to Redis behind, and holds no partition', async () => {
  const redis = await startRedis()
  const watch = createClient({ url: redis.url })
  const taken = createServer()
  try {
    await watch.connect()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', () => resolve()))
    const { port } = taken.address() as AddressInfo
    await expect(createHub({ log: silent, settings: { port, redisUrl: redis.url, jwtSecret: secret } })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await eventually(async () => (await watch.sendCommand<string>(['CLIENT', 'LIST'])).trim().split('\n').length === 1, 'nobody but the one who looks')
    expect(await watch.keys('*:lease')).toEqual([])
  } finally {
    taken.close()
    watch.destroy()
    await redis.stop()
  }
}, 20_000)

test('a refused publish rejects with its code, a wrong setting with one line', async () => {
  const hub = await createHub({ log: silent, settings: { port: 0 } })
  try {
    await expect(hub.publish('task.progress', { taskId: '1', progress: 'much' })).rejects.toMatchObject({ code: 'VALIDATION_ERROR' })
    await expect(hub.on('nonsense', () => undefined)).rejects.toMatchObject({ code: 'INVALID_TOPIC' })
  } finally {
    await hub.close()
  }
  await expect(createHub({ settings: { port: 70_000 } })).rejects.toThrow("HUBBUB_PORT: '70000' is not allowed; allowed: an integer from 0 to 65535")
})
