/** Client messages, translated into operations and answered once, in one shape. */
import { HubError, MESSAGE_ALIASES, type ClientMessage, type Failure, type Signal } from '@hubbub/protocol'
import { sourceOf, type Identity } from '../access/identity.js'
import type { Logger } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import type { Witness } from '../observe/witness.js'
import type { Profile } from '../operations/agents.js'
import type { Caller } from '../operations/caller.js'
import type { Connection } from '../operations/connection.js'
import type { Operations } from '../operations/operations.js'
import type { Door } from '../operations/presence.js'
import type { Settings } from '../settings/table.js'
import { hubErrorOf } from '../store/failure.js'
import type { Vitals } from './vitals.js'

export interface MessageDeps {
  operations: Operations
  settings: Settings
  metrics: Metrics
  witness?: Witness
  log: Logger
  /** Milliseconds to wait, 0 when the client may send another message. */
  take: (client: string) => number
  broadcast: (rooms: string[], signal: Signal) => void
  vitals: (identity: Identity) => Promise<Vitals>
}

/** One connected client, as its messages see it. */
export interface Client extends Caller {
  readonly connection: Connection
  /** Subscriptions changed: rooms follow them. */
  subscribed(): void
  readonly door: Door
  /** `agent.register` was committed. */
  registered(profile: Profile): void
  /** `auth.refresh`: rejects with `HubError`. */
  refresh(auth: unknown): Promise<{ expiresAt?: number }>
  /** For messages without an ack: there is no other way to tell of a refusal. */
  complain(error: Failure): void
}

export type Reply = (answer: { ok: true } | { ok: false; error: Failure }) => void

/**
 * Handles one message, replied to once; never throws. A client may send anything as `name`. Of a subscription the reply is called in the
 * joining's own synchronous step: what is written in it stands before the first live event (I2).
 */
export function handleMessage(deps: MessageDeps, client: Client, name: unknown, args: readonly unknown[], answer: Reply): void {
  const reply = deps.witness?.isOn ? watched(deps.witness, client, name, args, answer) : answer
  const refuse = (error: HubError) => {
    deps.metrics.rejections.inc({ code: error.code })
    reply({ ok: false, error: error.toJSON() })
  }
  const wait = deps.take(client.id)
  if (wait > 0) {
    const limit = { scope: 'client', retryAfterMs: wait, limit: deps.settings.messageRate, unit: 'messages/s', setting: 'HUBBUB_MESSAGE_RATE' }
    return refuse(new HubError('RATE_LIMITED', undefined, limit))
  }
  dispatch(deps, client, name, args, reply).catch((error: unknown) => {
    const failure = hubErrorOf(error)
    if (failure !== error) deps.log.error({ err: error, message: name, ...failure.details }, 'message failed')
    refuse(failure)
  })
}

type Handler = (deps: MessageDeps, client: Client, input: unknown, reply: Reply) => Promise<void>

/** Complete: a message without a handler does not compile. */
const HANDLERS: Record<ClientMessage, Handler> = {
  subscribe: (_deps, client, input, reply) =>
    client.connection.subscribe(input, (result) => {
      client.subscribed()
      reply(okWith(result))
    }),
  unsubscribe: (_deps, client, input = {}, reply) =>
    client.connection.unsubscribe(input, (result) => {
      client.subscribed()
      reply(okWith(result))
    }),
  publish,
  async signal(deps, client, input, reply) {
    await deps.operations.signal(client.identity(), input, deps.broadcast)
    reply({ ok: true })
  },
  async snapshot(deps, client, input, reply) {
    reply(okWith(await deps.operations.snapshot(client.identity(), input)))
  },
  async command(deps, client, input, reply) {
    reply(okWith(await deps.operations.commands.give(client.identity(), input)))
  },
  async 'command.handle'(deps, client, input, reply) {
    reply(okWith(await deps.operations.executors.handle(client, input)))
  },
  async broadcast(deps, client, input, reply) {
    reply(okWith(await deps.operations.broadcasts.send(client.identity(), input)))
  },
  async 'auth.refresh'(_deps, client, input, reply) {
    reply(okWith(await client.refresh(input)))
  },
  async 'agent.register'(deps, client, input = {}, reply) {
    const { answer, profile } = await deps.operations.register(client.identity(), input)
    client.registered(profile)
    reply(okWith(answer))
  },
  async 'system.health_check'(deps, client, _input, reply) {
    reply(okWith(await deps.vitals(client.identity())))
  },
  async presence(deps, client, input, reply) {
    reply(okWith(await deps.operations.presence.ask(client.connection, input, client.door)))
  },
}

async function dispatch(deps: MessageDeps, client: Client, name: unknown, args: readonly unknown[], reply: Reply): Promise<void> {
  const [input] = args
  if (args.length > 1) throw new HubError('INVALID_MESSAGE', 'A message has one argument, and an acknowledgement.')
  const message = typeof name === 'string' && Object.hasOwn(MESSAGE_ALIASES, name) ? MESSAGE_ALIASES[name] : name
  if (typeof message === 'string' && Object.hasOwn(HANDLERS, message)) return await HANDLERS[message as ClientMessage](deps, client, input, reply)
  // A client that emits an event's name, or an alias of it, publishes it.
  await publish(deps, client, { type: name, data: input ?? {} }, reply)
}

async function publish(deps: MessageDeps, client: Client, input: unknown, reply: Reply): Promise<void> {
  const batch = Array.isArray(input)
  const inputs: unknown[] = batch ? input : [input]
  if (inputs.length === 0) throw new HubError('INVALID_MESSAGE', 'A batch has at least one event.')
  if (inputs.length > deps.settings.maxBatchEvents) {
    throw new HubError('PAYLOAD_TOO_LARGE', `A batch has at most ${deps.settings.maxBatchEvents} events.`, { limit: deps.settings.maxBatchEvents, unit: 'events', setting: 'HUBBUB_MAX_BATCH_EVENTS' })
  }
  const identity = client.identity()
  const ack = !batch && isRecord(input) && input['ack'] === 'accepted' ? 'accepted' : 'committed'
  const results = await deps.operations.publish(identity, inputs, { ack, client: `${identity.project} ${sourceOf(identity)}` })
  if (batch) reply(okWith({ results }))
  else for (const result of results) reply(result)
}

/** The message is told where it is tapped, and its refusal. */
function watched(witness: Witness, client: Client, name: unknown, args: readonly unknown[], reply: Reply): Reply {
  const { subject, project } = client.identity()
  const tell = witness.message({ connection: client.id, subject, project }, name, args[0])
  return (answer) => {
    tell(answer)
    reply(answer)
  }
}

function okWith<T extends object>(result: T): { ok: true } & T {
  return { ok: true, ...result }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
