/** Parsers that need a hub behind them: the messages of Socket.IO and of every dialect of the plain WebSocket, by clients without a socket. */
import { HubError } from '@hubbub/protocol'
import { Decoder, PacketType } from 'socket.io-parser'
import type { Identity } from '../../server/src/access/identity.js'
import { parseMessage } from '../../server/src/gateway/websocket/parse.js'
import type { Random } from '../faults/random.js'
import { EVENTS, EXAMPLES, someEvent, someMessage } from './corpus.js'
import type { Correspondent, Embedded } from './embedded.js'
import { refusalOf } from './judge.js'
import { anyBytes, anyJson, mutateBytes, mutateJson, mutateText, strangeText } from './mutate.js'
import { asText, judged, PASSING, type Outcome, type Target } from './targets.js'

export const ADMIN: Identity = { subject: 'fuzz', role: 'admin', project: 'default', projects: ['default'], permissions: ['admin', 'publish:*', 'subscribe:*', 'signal:*', 'command:*', 'broadcast:*'], via: 'jwt' }

/** Inputs of one connection, before another one takes its place: what one leaves behind must not decide what the next one meets. */
const OF_ONE = 300

/** A client that is replaced now and then, while another one listens to everything. */
function speaking(embedded: Embedded, way: string, act: (client: Correspondent, random: Random, note: (input: unknown) => void) => Promise<Outcome>): Pick<Target, 'fire' | 'close'> {
  let client: Correspondent | undefined
  let left = 0
  return {
    async fire(random, note) {
      if (left-- <= 0 || !client) {
        client?.close()
        client = await embedded.open(ADMIN, way)
        left = OF_ONE
      }
      client.taken()
      const outcome = await act(client, random, note)
      return client.taken().map(judged)[0] ?? outcome
    },
    close: () => client?.close(),
  }
}

/** A message of a dialect as bytes of its frames: mostly whole JSON. */
async function hear(client: Correspondent, random: Random, message: unknown, note: (input: unknown) => void): Promise<Outcome> {
  const text = asText(random, message)
  const bytes = random.chance(0.05) ? mutateBytes(random, text) : random.chance(0.02) ? anyBytes(random) : Buffer.from(text)
  note(bytes.toString())
  try {
    await client.hear(parseMessage(bytes, random.chance(0.01)))
    return 'accepted'
  } catch (error) {
    if (error instanceof HubError && PASSING.has(error.code)) return error.code
    return refusalOf(error).code
  }
}

const WORDS = [
  'ping', 'pong', 'heartbeat', 'subscribe', 'unsubscribe', 'publish', 'signal', 'snapshot', 'command', 'broadcast', 'presence', 'agent.register', 'agent:register', 'agent:heartbeat', 'task:accepted', 'task:progress', 'task:result', 'auth_request', 'connect',
  'get_status', 'refresh', 'system:health_check', 'events', 'progress_update', 'agent_status', 'task_started', 'tdd_phase_change', 'workflow_started', 'deploy', 'event', 'history',
]

/** Where a dialect's messages have their name, and where what belongs to it. */
export type Form = readonly [name: 'type' | 'command' | 'event_type', body: 'payload' | 'data']

export function someDialectMessage(random: Random, [name, body]: Form): unknown {
  const choice = random.integer(0, 9)
  if (choice === 0) return random.chance(0.3) ? anyJson(random) : mutateJson(random, random.pick(EXAMPLES))
  const id = random.chance(0.8) ? `m${random.integer(0, 99)}` : anyJson(random, 1)
  if (choice < 5) {
    const [word, input] = someMessage(random)
    return { [name]: word, [body]: input, id }
  }
  if (choice < 6) return mutateJson(random, { [name]: random.pick(WORDS), [body]: random.chance(0.5) ? {} : someEvent(random), id })
  // Two of the formats take events by `publish` alone.
  if (body === 'payload' && random.chance(0.5)) return { [name]: 'publish', [body]: someEvent(random), id }
  const { type, data } = random.pick(EVENTS)
  const told = { [name]: random.chance(0.5) ? type : type.replace('.', random.pick([':', '_'])), [body]: data, id, timestamp: 1_772_359_200_000, metadata: {} }
  return random.chance(0.5) ? told : mutateJson(random, told)
}

/** By gateway: the way at which its connections are asked for, and the form of its messages. */
export const DIALECTS: Readonly<Record<string, { way: string; form: Form }>> = {
  '/ws': { way: '/ws', form: ['type', 'payload'] },
  '/ws/tasks/:taskId': { way: '/ws/tasks/T-1', form: ['event_type', 'data'] },
  '/ws/:project': { way: '/ws/default', form: ['command', 'payload'] },
  '/ws?dialect=autosdlc': { way: '/ws?dialect=autosdlc', form: ['type', 'data'] },
  '/ws?dialect=mcp': { way: '/ws?dialect=mcp', form: ['type', 'payload'] },
}

export function hubTargets(embedded: Embedded): Target[] {
  const dialects = Object.entries(DIALECTS).map(([gateway, { way, form }]): Target => ({ gateway, share: 6, ...speaking(embedded, way, (client, random, note) => hear(client, random, someDialectMessage(random, form), note)) }))
  return [
    {
      gateway: 'Socket.IO messages', share: 12,
      ...speaking(embedded, '/ws', async (client, random, note) => {
        const [name, input] = someMessage(random)
        const args = random.chance(0.05) ? [input, strangeText(random)] : input === undefined ? [] : [input]
        note([name, ...args])
        const answer = await client.say(random.chance(0.02) ? anyJson(random) : name, args)
        return answer.ok ? 'accepted' : judged(answer.error.code)
      }),
    },
    {
      gateway: 'Socket.IO packets', share: 10,
      ...speaking(embedded, '/ws', async (client, random, note) => {
        const packet = somePacket(random)
        note(packet)
        const heard: unknown[][] = []
        const decoder = new Decoder()
        decoder.on('decoded', ({ type, data }) => {
          if (type === PacketType.EVENT && Array.isArray(data)) heard.push(data)
        })
        try {
          decoder.add(packet)
        } catch {
          // The library's own words for what is no packet; its server closes the connection.
          return 'parse error'
        } finally {
          decoder.destroy()
        }
        const [args] = heard
        if (!args) return 'no event'
        const answer = await client.say(args[0], args.slice(1))
        return answer.ok ? 'accepted' : judged(answer.error.code)
      }),
    },
    ...dialects,
  ]
}

export function somePacket(random: Random): string {
  const [name, input] = someMessage(random)
  const whole = `2${random.chance(0.5) ? random.integer(0, 99) : ''}${JSON.stringify([name, input ?? null])}`
  const choice = random.integer(0, 9)
  if (choice < 5) return whole
  if (choice === 5) return anyBytes(random).toString('latin1')
  if (choice === 6) return `${random.pick(['0', '1', '2', '3', '4', '5', '6', '50-', '51-', '2/', '2/other,', '9', '51-'])}${JSON.stringify(anyJson(random))}`
  return mutateText(random, whole)
}
