/** I2 and I8 for `hubbub tail` in a pipe. Its 10,000 events are in `test/sdk/crossing.test.ts`. */
import type { HubEvent } from '@hubbub/protocol'
import { command, startCommand, type CommandProcess } from '../cli/command.js'
import { problems, receiptOf, type Receipt } from '../harness/checker.js'
import { eventually } from '../harness/eventually.js'
import { createProducer, overHttp, type Producer } from '../harness/producer.js'
import { token } from '../harness/token.js'
import { crossEach, FORGETFUL, outlive, type Crossing } from './crossing.js'

let crossing: Crossing
let names = 0

function producer(): Producer {
  const name = `coder-${++names}`
  return createProducer({ name, send: overHttp(() => crossing.worker.url, token({ sub: name, role: 'agent' })) })
}

const remote = () => ({ HUBBUB_URL: crossing.url, HUBBUB_TOKEN: token() })

/** Resolves once it is subscribed: what is published afterwards is its to show. */
async function startTail(...args: string[]): Promise<CommandProcess> {
  const tail = startCommand(['tail', ...args], remote())
  const active = async () => {
    const response = await fetch(`${crossing.worker.url}/api/v1/websocket/status`, { headers: { authorization: `Bearer ${token()}` } })
    return ((await response.json()) as { active: number }).active > 0
  }
  await eventually(active, 'the subscription of the tail')
  return tail
}

function receipts(tail: CommandProcess): Receipt[] {
  return tail.events().map((event) => receiptOf(event as unknown as HubEvent, event.cursor))
}

/** Ends it by Ctrl-C; what it showed is complete, and it told of so many gaps. */
async function expectShown(tail: CommandProcess, ids: Iterable<string>, gaps: number): Promise<void> {
  const expected = [...ids]
  await eventually(() => tail.events().length >= expected.length, `${expected.length} lines`, 20_000)
  tail.child.kill('SIGINT')
  expect(await tail.exited).toEqual({ code: 0, signal: null })
  expect(problems(receipts(tail), expected)).toEqual([])
  expect(tail.stderr().match(/-- gap/g) ?? []).toHaveLength(gaps)
}

describe('a tail that comes back to another worker', () => {
  crossEach({}, (way) => {
    crossing = way
  })

  test('shows everything once, though it had shown nothing before its worker was killed, and the whole hub was restarted', async () => {
    const coder = producer()
    const tail = await startTail('task:unheard')
    for (const mishap of ['kill', 'restart', 'blackhole'] as const) {
      await crossing.suffer(mishap, async () => void (await coder.publish(1000, 'unheard')))
      await coder.publish(100, 'unheard')
    }
    await expectShown(tail, coder.acked.keys(), 0)
  }, 60_000)
})

describe('a tail and a journal that forgets quickly', () => {
  crossEach({ env: FORGETFUL }, (way) => {
    crossing = way
  })

  async function cursorNow(): Promise<string> {
    const response = await fetch(`${crossing.worker.url}/api/v1/history?topics=task:quiet`, { headers: { authorization: `Bearer ${token()}` } })
    return ((await response.json()) as { cursor: string }).cursor
  }

  test('recover a topic that was quiet for longer than the journal reaches back', async () => {
    const [noisy, coder] = [producer(), producer()]
    const tail = await startTail('task:quiet')
    await outlive(crossing, await cursorNow(), noisy)
    for (const mishap of ['reset', 'kill'] as const) await crossing.suffer(mishap, async () => void (await coder.publish(50, 'quiet')))
    await expectShown(tail, coder.acked.keys(), 0)
  }, 60_000)

  test('say so when the absence was too long, and go on', async () => {
    const [noisy, coder] = [producer(), producer()]
    const tail = await startTail('task:away')
    const left = await cursorNow()
    await crossing.suffer('reset', () => outlive(crossing, left, noisy))
    await eventually(() => tail.stderr().includes('connected again'), 'the tail live again')
    await coder.publish(10, 'away')
    await expectShown(tail, coder.acked.keys(), 1)
  }, 60_000)

  test('say so when `--since` is older than the journal', async () => {
    const noisy = producer()
    const old = await cursorNow()
    await outlive(crossing, old, noisy)
    const { code, stdout, stderr } = await command(['tail', 'task:busy', '--since', old, '--no-follow'], remote())
    expect([code, stderr.match(/-- gap/g)]).toEqual([0, ['-- gap']])
    const shown = stdout.trimEnd().split('\n').map((line) => (JSON.parse(line) as HubEvent).id)
    expect(shown.length).toBeGreaterThanOrEqual(100)
    expect(shown).toEqual([...noisy.acked.keys()].slice(-shown.length))
  }, 60_000)
})
