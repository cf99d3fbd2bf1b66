/** Our reading of a run against that of AG-UI's own client: folded, retold from the middle, and behind a gap. */
import type { AguiEvent } from '../../server/src/gateway/agui/events.js'
import { Replica } from '../../server/src/gateway/agui/replica.js'
import { applyPatch, PatchFailed, type PatchOperation as Operation } from '@hubbub/protocol'
import { applied, quietClient, type Held, type Said } from './aguiClient.js'
import { dice, randomRun, script } from './aguiScript.js'

const SEED = Number(process.env['AGUI_SEED'] ?? Math.floor(Math.random() * 1e9))
const RUNS = 60

quietClient()

/** Without what only the beginning said. */
const begun = (event: Said): Said => ({ type: 'RUN_STARTED', threadId: 't', runId: event['runId'] })

function replicaOf(events: readonly Said[]): Replica {
  const replica = new Replica()
  for (const event of events as unknown as AguiEvent[]) {
    if (event.type === 'RUN_STARTED') replica.begin(event)
    else replica.take(event)
  }
  return replica
}

async function heldBy(replica: Replica): Promise<Held> {
  // What a client makes of the messages once it has taken them off the wire.
  return applied([{ type: 'RUN_STARTED', threadId: 't', runId: 'r' }, ...(replica.retell() as unknown as Said[])])
}

describe('a run folded here', () => {
  test('is what the client holds, at every event of it', async () => {
    const events = script('r')
    for (let length = 1; length < events.length; length++) {
      const part = events.slice(0, length)
      expect([length, await heldBy(replicaOf(part))]).toEqual([length, await applied(part)])
    }
  })

  test(`is what the client holds, of ${RUNS} random runs (seed ${SEED})`, async () => {
    for (let run = 0; run < RUNS; run++) {
      const events = randomRun(SEED + run, 60)
      const { document } = replicaOf(events.slice(0, -1))
      const expected = await applied(events)
      expect([SEED + run, document.messages, document.isStateTold ? document.state : {}]).toEqual([SEED + run, expected.messages, expected.state])
    }
  })

  test(`and retold from any place, goes on as if it had been heard whole (seed ${SEED})`, async () => {
    for (let run = 0; run < RUNS; run++) {
      const events = randomRun(SEED + run, 60)
      const expected = await applied(events)
      for (let length = 1; length < events.length; length += 7) {
        const replica = replicaOf(events.slice(0, length))
        const late = [begun(events[0]!), ...(replica.retell() as unknown as Said[]), ...events.slice(length)]
        expect([SEED + run, length, await applied(late)]).toEqual([SEED + run, length, expected])
      }
    }
  }, 60_000)
})

describe('a run whose beginning is lost', () => {
  /** With snapshots of all that there is at that place. */
  function withSnapshots(events: readonly Said[], place: number): Said[] {
    const { document } = replicaOf(events.slice(0, place))
    return [...events.slice(0, place), { type: 'MESSAGES_SNAPSHOT', messages: document.messages }, { type: 'STATE_SNAPSHOT', snapshot: document.isStateTold ? document.state : {} }, ...events.slice(place)]
  }

  test(`is known again behind snapshots, and what began in the gap goes on (seed ${SEED})`, async () => {
    const next = dice(SEED)
    let known = 0
    for (let run = 0; run < RUNS; run++) {
      const whole = randomRun(SEED + run, 60)
      let place = 10 + Math.floor(next() * (whole.length - 12))
      // Snapshots end what chunks put together: in a valid run no chunk goes on behind them without saying with what.
      while (/CHUNK|RAW/.test(whole[place]!.type)) place++
      const events = withSnapshots(whole, place)
      const expected = await applied(events)
      const gap = 1 + Math.floor(next() * place)
      const join = place + 2 + Math.floor(next() * (events.length - place - 3))
      const replica = new Replica()
      for (const event of events.slice(gap, join)) replica.take(event as unknown as AguiEvent)
      if (!replica.isWhole) continue
      const told: Said[] = [begun(events[0]!), ...(replica.retell() as unknown as Said[])]
      let isTorn = false
      for (const event of events.slice(join, -1)) {
        const said = replica.take(event as unknown as AguiEvent)
        isTorn ||= said === undefined
        told.push(...((said ?? []) as unknown as Said[]))
      }
      // Only what goes on without saying what it is of cannot be told.
      if (isTorn) {
        expect(events.slice(gap).some(({ type, messageId, toolCallId }) => type.endsWith('_CHUNK') && messageId === undefined && toolCallId === undefined)).toBe(true)
        continue
      }
      known++
      expect([SEED + run, await applied([...told, events.at(-1)!])]).toEqual([SEED + run, expected])
    }
    expect(known).toBeGreaterThan(RUNS / 4)
  })

  test('is not known again by one of the two snapshots', () => {
    const replica = new Replica()
    replica.take({ type: 'MESSAGES_SNAPSHOT', messages: [] })
    expect(replica.isWhole).toBe(false)
    replica.take({ type: 'STATE_SNAPSHOT', snapshot: 1 })
    expect(replica.isWhole).toBe(true)
    expect(replica.take({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'gone', delta: 'x' })).toBeUndefined()
    expect(replica.isWhole).toBe(false)
    replica.take({ type: 'MESSAGES_SNAPSHOT', messages: [{ id: 'gone', role: 'assistant', content: 'x' }] })
    expect(replica.isWhole).toBe(true)
  })
})

describe('a patch', () => {
  test('is applied as a whole or not at all, and changes nothing that others hold', () => {
    const before = { a: { b: [1, 2] }, c: 0 }
    expect(applyPatch(before, [{ op: 'add', path: '/a/b/1', value: 9 }, { op: 'move', from: '/c', path: '/a/c' }])).toEqual({ a: { b: [1, 9, 2], c: 0 } })
    expect(before).toEqual({ a: { b: [1, 2] }, c: 0 })
    const bad: Operation[] = [{ op: 'add', path: '/d', value: 1 }, { op: 'test', path: '/c', value: 1 }]
    expect(() => applyPatch(before, bad)).toThrow(PatchFailed)
  })

  test('reaches no prototype', () => {
    for (const path of ['/__proto__/x', '/__proto__', '/toString/x', '/constructor/prototype/x']) expect(() => applyPatch({}, [{ op: 'add', path, value: 1 }])).toThrow(PatchFailed)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })
})
