/** The hot path, guarded by counts: what a burst costs in commands, encodings and writes must not grow with its size or its audience. */
import { createClient } from 'redis'
import { silent } from '../../server/src/observe/log.js'
import { startHub } from '../../server/src/hub.js'
import { settingsWith } from '../../server/src/settings/read.js'
import { startRedis } from '../harness/redis.js'
import { stockClient, type Sink } from '../harness/sink.js'
import { SECRET, token } from '../harness/token.js'

const SUBSCRIBERS = 50
const EVENTS = 1000

/** Calls of each command since the server was started or reset. */
async function commandCalls(url: string): Promise<Map<string, number>> {
  const client = createClient({ url })
  await client.connect()
  const calls = new Map<string, number>()
  for (const [, command, count] of (await client.info('commandstats')).matchAll(/cmdstat_([a-z|]+):calls=(\d+)/g)) calls.set(command!, Number(count))
  client.destroy()
  return calls
}

function metric(text: string, name: string): number {
  return Number(new RegExp(`^${name.replaceAll(/[{}"]/g, String.raw`\$&`)} (\\d+)`, 'm').exec(text)?.[1] ?? 0)
}

test('a thousand events to fifty equal subscribers: a few commands, one encoding an event, a few writes a socket', async () => {
  const redis = await startRedis()
  const hub = await startHub({ log: silent, settings: settingsWith({ port: 0, partitions: 1, redisUrl: redis.url, jwtSecret: SECRET }) })
  const sinks: Sink[] = []
  try {
    for (let i = 0; i < SUBSCRIBERS; i++) sinks.push(await stockClient(hub.url, { token: token({ role: 'viewer' }), topics: ['task:*'] }))
    const before = await commandCalls(redis.url)
    const events = Array.from({ length: EVENTS }, (_, n) => ({ type: 'task.progress', data: { taskId: String(n % 7), progress: n % 100 } }))
    const answer = await fetch(`${hub.url}/api/v1/events`, { method: 'POST', headers: { authorization: `Bearer ${token({ role: 'service' })}` }, body: JSON.stringify(events) })
    expect(answer.status).toBe(200)
    for (const sink of sinks) await sink.holds(EVENTS)
    const after = await commandCalls(redis.url)
    const calls = (command: string) => (after.get(command) ?? 0) - (before.get(command) ?? 0)
    // Two appends, two or three commits, leases and housekeeping of the seconds that it took; never one an event.
    expect(calls('evalsha') + calls('xread')).toBeLessThan(60)
    expect(calls('hmget')).toBeLessThan(40)
    const metrics = await (await fetch(`${hub.url}/metrics`)).text()
    expect(metric(metrics, 'hubbub_event_encodes_total')).toBe(EVENTS)
    const buffers = metric(metrics, 'hubbub_socket_writes_total{way="buffer"}')
    expect(buffers + metric(metrics, 'hubbub_socket_writes_total{way="packets"}') / EVENTS).toBeLessThan(SUBSCRIBERS * 20)
    expect(buffers).toBeGreaterThan(0)
  } finally {
    for (const sink of sinks) sink.close()
    await hub.close()
    await redis.stop()
  }
})
