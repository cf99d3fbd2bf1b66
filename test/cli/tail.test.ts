import { freePort } from '../harness/port.js'
import { problems, receiptOf } from '../harness/checker.js'
import { eventually } from '../harness/eventually.js'
import { startHub, type HubProcess } from '../harness/hub.js'
import { createProducer, overHttp, type Producer } from '../harness/producer.js'
import { startRedis } from '../harness/redis.js'
import { token } from '../harness/token.js'
import { command, startCommand, type CommandProcess } from './command.js'

const RATES = { HUBBUB_MESSAGE_RATE: '100000', HUBBUB_MESSAGE_BURST: '100000', HUBBUB_FAMILY_RATES: '*=1000000' }

let names = 0
const producer = (url: string): Producer => {
  const name = `coder-${++names}`
  return createProducer({ name, send: overHttp(() => url, token({ sub: name, role: 'agent' })) })
}
const faults = (tail: CommandProcess, ids: Iterable<string>): string[] => problems(tail.events().map((event) => receiptOf(event as never, event.cursor)), ids)
const end = async (tail: CommandProcess): Promise<number | null> => {
  tail.child.kill('SIGINT')
  return (await tail.exited).code
}

describe('hubbub tail', () => {
  let hub: HubProcess
  let env: Record<string, string>
  let coder: Producer

  beforeAll(async () => {
    hub = await startHub({ env: RATES })
    env = { HUBBUB_URL: hub.url, HUBBUB_TOKEN: token() }
    coder = producer(hub.url)
    await coder.publish(2500, 'past')
  })
  afterAll(() => hub.stop())

  it('shows a whole history in a pipe, and stops with --no-follow', async () => {
    const tail = startCommand(['tail', 'task:past', '--since', 'all', '--no-follow'], env)
    expect((await tail.exited).code).toBe(0)
    await eventually(() => tail.events().length === 2500)
    expect(faults(tail, coder.acked.keys())).toEqual([])
  })

  it('shows the last events, by -n and by default with --no-follow', async () => {
    const ids = [...coder.acked.keys()]
    for (const [args, count] of [[['-n', '3'], 3], [[], 10], [['-n', '0'], 0]] as const) {
      const tail = startCommand(['tail', 'task:past', '--no-follow', ...args], env)
      expect((await tail.exited).code).toBe(0)
      await eventually(() => tail.events().length === count)
      expect(tail.events().map(({ id }) => id)).toEqual(count === 0 ? [] : ids.slice(-count))
    }
  })

  it('goes on behind a cursor that it printed', async () => {
    const { stdout } = await command(['tail', 'task:past', '-n', '5', '--no-follow'], env)
    const { cursor } = JSON.parse(stdout.split('\n')[1]!) as { cursor: string }
    const rest = startCommand(['tail', 'task:past', '--since', cursor, '--no-follow'], env)
    await rest.exited
    await eventually(() => rest.events().length === 3)
    expect(rest.events().map(({ id }) => id)).toEqual([...coder.acked.keys()].slice(-3))
  })

  it('follows after the history, takes only the types it is told, and ends with Ctrl-C', async () => {
    const own = producer(hub.url)
    const tail = startCommand(['tail', 'task:now', '-n', '10', '--types', 'task.progress,agent.*'], env)
    await own.publish(5, 'now')
    await command(['publish', 'custom.other', '--topic', 'task:now', '--data', '{}'], env)
    await own.publish(5, 'now')
    await eventually(() => tail.events().length >= 10)
    expect(await end(tail)).toBe(0)
    expect(faults(tail, own.acked.keys())).toEqual([])
  })

  it('ends quietly when its reader does', async () => {
    const tail = startCommand(['tail', 'task:past', '--since', 'all'], env)
    await eventually(() => tail.events().length > 0)
    tail.child.stdout!.destroy()
    await producer(hub.url).publish(2000, 'past')
    expect(await tail.exited).toEqual({ code: 0, signal: null })
    expect(tail.stderr()).toBe('')
  })

  it('waits for a reader that is slow, and skips nothing', async () => {
    const own = producer(hub.url)
    await own.publish(3000, 'slow')
    const tail = startCommand(['tail', 'task:slow', '--since', 'all'], env)
    tail.child.stdout!.pause()
    await own.publish(1000, 'slow')
    tail.child.stdout!.resume()
    await eventually(() => tail.events().length >= 4000)
    expect(await end(tail)).toBe(0)
    expect(faults(tail, own.acked.keys())).toEqual([])
  })

  it('refuses what makes no sense, in one line', async () => {
    for (const args of [['nonsense'], ['*', '--since', 'yesterday'], ['*', '--since', '1m', '-n', '2'], ['*', '--types', 'Nope!'], ['*', '-n', '-1']]) {
      const { code, stderr } = await command(['tail', ...args], env)
      expect([code, stderr.trimEnd().split('\n').length]).toEqual([2, 1])
    }
  })
})

describe('a tail whose hub is restarted', () => {
  it('loses and repeats nothing when the hub has Redis', async () => {
    const redis = await startRedis()
    const port = await freePort()
    let hub = await startHub({ port, redis: redis.url, env: RATES })
    const coder = producer(hub.url)
    const tail = startCommand(['tail', 'task:on'], { HUBBUB_URL: hub.url, HUBBUB_TOKEN: token() })
    await eventually(async () => {
      await coder.publish(1, 'on')
      return tail.stdout() !== ''
    })
    const first = tail.events()[0]!.id
    for (const how of ['stop', 'kill'] as const) {
      await coder.publish(300, 'on')
      await (how === 'stop' ? hub.stop() : hub.kill('SIGKILL'))
      await eventually(() => tail.stderr().includes('connection lost'))
      hub = await startHub({ port, redis: redis.url, env: RATES })
      await coder.publish(300, 'on')
    }
    const expected = [...coder.acked.keys()]
    expected.splice(0, expected.indexOf(first))
    await eventually(() => tail.events().length >= expected.length, 'all events', 20_000)
    expect(await end(tail)).toBe(0)
    expect(faults(tail, expected)).toEqual([])
    expect(tail.stderr()).not.toContain('gap')
    await hub.stop()
    await redis.stop()
  }, 90_000)

  it('is told of the gap when the hub\'s memory went with it, and goes on', async () => {
    const port = await freePort()
    let hub = await startHub({ port, env: RATES })
    const tail = startCommand(['tail', 'task:on'], { HUBBUB_URL: hub.url, HUBBUB_TOKEN: token() })
    const before = producer(hub.url)
    await eventually(async () => {
      await before.publish(1, 'on')
      return tail.stdout() !== ''
    })
    await hub.kill('SIGKILL')
    hub = await startHub({ port, env: RATES })
    const after = producer(hub.url)
    await after.publish(20, 'on')
    await eventually(() => tail.events().at(-1)?.id === [...after.acked.keys()].at(-1), 'the new hub\'s events', 20_000)
    expect(tail.stderr().match(/-- gap: .*/g)).toHaveLength(1)
    expect(await end(tail)).toBe(0)
    expect(tail.events().slice(-20).map(({ id }) => id)).toEqual([...after.acked.keys()])
    await hub.stop()
  }, 60_000)
})
