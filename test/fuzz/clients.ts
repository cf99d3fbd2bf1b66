/** The SDK's client with a hub on the other side that says anything: whatever comes, it neither throws nor fails with what is no HubError. */
import { setImmediate as turn } from 'node:timers/promises'
import { applyPatch, HubError, PatchFailed, type HubEvent, type Signal } from '@hubbub/protocol'
import { HubClient } from '../../client-sdk/typescript/src/connect.js'
import { isAnswerTo } from '../../client-sdk/typescript/src/forms.js'
import type { Link, LinkEvents, Requests } from '../../client-sdk/typescript/src/link.js'
import { settle } from '../../client-sdk/typescript/src/options.js'
import type { Random } from '../faults/random.js'
import { EVENTS } from './corpus.js'
import { anyJson, mutateJson } from './mutate.js'
import type { Target } from './targets.js'

const at = (n: number): string => `e.1-${n}`
const event = (n: number, random: Random): HubEvent => ({ timestamp: 1_772_359_200_000, project: 'default', topics: ['task:T-1'], metadata: { version: '1.0', source: '/x', recordedAt: 1_772_359_200_000 }, ...random.pick(EVENTS), id: `e${n}` }) as HubEvent
const ENTITY = { kind: 'task', id: 'T-1', revision: '1-1', status: 'pending', createdAt: '2026-03-01T10:00:00.000Z', updatedAt: '2026-03-01T10:00:00.000Z' }
const GAP = { from: at(1), to: at(2), reason: 'trimmed' }

/** As an honest hub answers. */
const ANSWERS: { [K in keyof Requests]: (random: Random) => object } = {
  subscribe: (random) => ({ subscriptionId: 's', topics: ['task:T-1'], activeSubscriptions: 1, cursor: at(9), events: [{ event: event(1, random), cursor: at(1) }, { event: event(2, random), cursor: at(2) }], more: random.chance(0.2), ...(random.chance(0.2) && { gap: GAP }) }),
  unsubscribe: () => ({ activeSubscriptions: 0 }),
  publish: () => ({ id: 'e1', type: 'task.progress', offset: '1-1' }),
  signal: () => ({}),
  'auth.refresh': () => ({ expiresAt: 1_772_359_200_000 }),
  snapshot: () => ({ entities: [ENTITY], cursor: at(9) }),
  'agent.register': () => ({ agentId: 'a', status: 'idle', heartbeatMs: 1000 }),
  command: () => ({ commandId: 'c', result: { a: 1 } }),
  'command.handle': () => ({ commands: ['deploy'] }),
  broadcast: () => ({ reached: 3, complete: true }),
  presence: () => ({ topic: 'task:T-1', watchers: [{ subject: 'ann', count: 1 }], total: 1 }),
}

const MESSAGES: ((random: Random) => [string, ...unknown[]])[] = [
  (random) => [random.pick(EVENTS).type, event(3, random), at(10)],
  (random) => ['events', [{ event: event(4, random), cursor: at(11) }, { event: event(5, random), cursor: at(12) }], at(12)],
  () => ['hub.cursor', at(20)], () => ['gap', GAP, at(2)],
  () => ['signal', { topic: 'task:T-1', name: 'presence.changed', data: { topic: 'task:T-1', joined: ['ann'], left: [], total: 1 }, source: '/hub', timestamp: 1 } satisfies Signal],
  () => ['command', { command: 'deploy', commandId: 'c', payload: {}, by: '/users/ann' }],
  (random) => [`inbox`, { ...event(6, random), type: 'task.delegate', topics: ['inbox:a'] }, at(13)],
  (random) => ['task.progress', { ...event(7, random), metadata: { version: '1.0', source: '/x', recordedAt: 1, compressed: true }, data: 'H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==' }, at(14)],
]

function lie(random: Random, truth: object): unknown {
  const choice = random.integer(0, 9)
  return choice === 0 ? anyJson(random) : choice < 8 ? { ok: true, ...truth } : mutateJson(random, { ok: true, ...truth })
}

/** One life of a client: what its user asks of it, amid what the hub says. Throws what is a finding. */
async function live(random: Random, note: (input: unknown) => void): Promise<string> {
  const said: unknown[] = []
  note(said)
  let events: LinkEvents | undefined
  let refused = 0
  const link = (told: LinkEvents): Link => {
    events = told
    let isOpen = false
    return {
      get isOpen() {
        return isOpen
      },
      transport: 'websocket',
      open: () => queueMicrotask(() => {
        isOpen = true
        told.opened(false)
      }),
      close: () => void (isOpen = false),
      // As the rung over Socket.IO does it.
      async request(name, _payload, { heard } = {}) {
        await turn()
        const given = lie(random, ANSWERS[name](random))
        said.push([name, given])
        const none = { ok: false, error: new HubError('INTERNAL_ERROR').toJSON() }
        const answer = (isAnswerTo(name, given) ? given : none) as never
        heard?.(answer)
        return answer
      },
    }
  }
  const client = new HubClient(settle({ reconnect: { minMs: 1, maxMs: 2 } }), link)
  client.on('*', () => undefined)
  const ask = (step: () => unknown) => (async () => step())().then(() => undefined, (error: unknown) => {
    refused++
    if (!(error instanceof HubError || error instanceof PatchFailed)) throw error
  })
  const asked = Promise.race([Promise.all([
    ask(() => client.subscribe({ topics: ['task:*'], since: 'all' })), ask(() => client.publish('task.progress', { taskId: 'T-1', progress: 1 })), ask(() => client.snapshot(['task:*'])),
    ask(() => client.watch(['task:*'])), ask(() => client.presence('task:T-1')), ask(() => client.command('deploy', {})), ask(() => client.broadcast({ name: 'x' })),
    ask(() => applyPatch({ a: [1] }, mutateJson(random, [{ op: 'add', path: '/a/0', value: 1 }]) as never)),
  ]), patience()])
  for (let times = 6; times > 0; times--) {
    await turn()
    const [name, ...args] = random.pick(MESSAGES)(random)
    const told = random.chance(0.2) ? args : (mutateJson(random, args) as unknown[])
    const list = Array.isArray(told) ? told : [told]
    said.push([name, ...list])
    events?.message(name, name === 'command' ? [...list, () => undefined] : list)
  }
  await asked
  client.close()
  await turn()
  return refused > 0 ? 'refused to its user' : 'accepted'
}

/** What a client tries again is not waited for. */
async function patience(): Promise<void> {
  for (let turns = 0; turns < 60; turns++) await turn()
}

export const CLIENT_TARGET: Target = { gateway: 'the SDK, of a hub', share: 1, fire: (random, note) => live(random, note) }
