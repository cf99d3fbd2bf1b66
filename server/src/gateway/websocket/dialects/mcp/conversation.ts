/** One agent's messages in the dialect of `?dialect=mcp`. */
import { canonicalType, HubError, type AgentRegistered, type PublishResult, type UnsubscribeResult } from '@hubbub/protocol'
import { hubErrorOf } from '../../../../store/failure.js'
import type { Conversation, Speaker } from '../../dialect.js'
import { fieldsOf } from '../../parse.js'
import { join } from '../joining.js'
import { unfinished } from './failures.js'
import { camelFields, said, shown, snakeFields, typeNamed } from './names.js'
import { asked, typesIn } from './subscription.js'

type Fields = Record<string, unknown>

interface Heard {
  message: Fields
  /** As it came. */
  name: string
  /** Canonical, where it is known. */
  type: string
  payload: Fields
}

/** The hub's own messages, with their answers as `NAME_acknowledged`. */
const MESSAGES: ReadonlySet<string> = new Set(['system.health_check', 'auth.refresh', 'snapshot', 'signal', 'broadcast', 'command', 'presence'])

/** What the reports that have answers of their own are answered with. */
const ANSWERS: Readonly<Record<string, (result: PublishResult) => { name: string; payload: object }>> = {
  'agent.heartbeat': ({ nextHeartbeat }) => ({ name: 'agent:heartbeat_acknowledged', payload: { status: 'acknowledged', next_heartbeat: nextHeartbeat } }),
  'task.progress': ({ taskId, progress }) => ({ name: 'task:progress_acknowledged', payload: { task_id: taskId, progress } }),
  'task.result': ({ taskId, status, completedAt }) => ({ name: 'task:completed', payload: { task_id: taskId, status: status ?? null, completed_at: completedAt ?? null } }),
}

export class McpConversation implements Conversation {
  /** By subscription id: the types that were asked for. */
  private readonly subscribed = new Map<string, readonly string[]>()

  constructor(private readonly speaker: Speaker) {}

  welcome(): void {
    const { speaker } = this
    const { subject, role, agentType = null, capabilities = [], permissions, project } = speaker.identity()
    const { heartbeatMs, offlineMs } = speaker.settings
    speaker.send(said('connection:acknowledged', {
      connection_id: speaker.id, agent_id: subject, agent_type: agentType, capabilities, permissions, role, project,
      heartbeat_interval: heartbeatMs / 1000, connection_timeout: offlineMs / 1000, connected_at: new Date().toISOString(), cursor: speaker.cursor(),
    }))
  }

  async hear(input: unknown): Promise<void> {
    const heard = read(input)
    switch (heard.name) {
      case 'ping':
        return this.speaker.send(said('pong', {}, heard.message))
      case 'pong':
      // Two sides that answer errors with errors would never end.
      case 'error':
        return
      case 'subscribe':
        return await this.subscribe(heard)
      case 'unsubscribe':
        return await this.unsubscribe(heard)
      default:
        await this.carryOut(heard)
    }
  }

  private async carryOut(heard: Heard): Promise<void> {
    switch (heard.type) {
      case 'agent.register':
        return await this.orUnfinished(heard, () => this.register(heard))
      case 'task.result':
        return await this.orUnfinished(heard, () => this.report(heard))
      default:
        if (MESSAGES.has(heard.type)) await this.pass(heard)
        else await this.report(heard)
    }
  }

  private async register({ message, payload }: Heard): Promise<void> {
    await this.speaker.request<AgentRegistered>('agent.register', payload, ({ agentId, status, registeredAt, permissions, heartbeat }) => {
      const beats = { heartbeat_interval: heartbeat.intervalMs / 1000, stale_after: heartbeat.staleMs / 1000, connection_timeout: heartbeat.offlineMs / 1000 }
      this.speaker.send(said('agent:registered', { agent_id: agentId, status, registered_at: registeredAt, permissions, ...beats }, message))
    })
  }

  private async report({ message, name, type, payload }: Heard): Promise<void> {
    // An older name may come with fields of its own: `pipeline:x` nests what the canonical form does not.
    const under = canonicalType(name) === undefined ? type : name
    const input = { id: message['event_id'], timestamp: message['timestamp'], metadata: message['metadata'], topics: message['topics'], type: under, data: payload }
    await this.speaker.request<PublishResult>('publish', input, (result) => {
      const { taskId, status, id } = result
      const answer = Object.hasOwn(ANSWERS, type)
        ? ANSWERS[type]!(result)
        : { name: `${name}_acknowledged`, payload: { event_id: id, ...(taskId !== undefined && { task_id: taskId }), ...(status !== undefined && { status }) } }
      this.speaker.send(said(answer.name, answer.payload, message))
    })
  }

  /** Refusals that an agent expects as an answer of their own. */
  private async orUnfinished({ message, type, payload }: Heard, step: () => Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      const answer = unfinished(hubErrorOf(error).toJSON(), type, payload)
      if (!answer) throw error
      this.speaker.send(said(answer.name, answer.payload, message))
    }
  }

  private async pass({ message, name, type, payload }: Heard): Promise<void> {
    // As it came, too: a credential is known by its older name.
    await this.speaker.request(type, { ...payload, ...camelFields(payload) }, (result) => this.speaker.send(said(`${name}_acknowledged`, snakeFields(result), message)))
  }

  private async subscribe({ message, payload }: Heard): Promise<void> {
    const { speaker } = this
    const { request, types } = asked(payload)
    const past = {
      snapshot: (snapshot: object) => speaker.send(said('snapshot', snapshot, message)),
      gap: (gap: object) => speaker.send(said('gap', gap, message)),
      event: ({ event, cursor }: { event: Parameters<typeof shown>[0]; cursor: string }) => speaker.send(shown(event, cursor)),
    }
    await join(speaker, request, past, ({ subscriptionId, topics, activeSubscriptions, cursor }) => {
      this.subscribed.set(subscriptionId, types)
      speaker.send(said('subscribed', { subscription_id: subscriptionId, event_type: payload['event_type'] ?? payload['event_types'] ?? '*', topics, active_subscriptions: activeSubscriptions, cursor }, message))
    })
  }

  /** By `subscription_id`, by what was named as `event_type`, or all. */
  private async unsubscribe({ message, payload }: Heard): Promise<void> {
    const types = typesIn(payload)
    const id = payload['subscription_id']
    const gone = [...this.subscribed].filter(([own, its]) => (id === undefined || own === id) && (types === undefined || types.every((type) => its.includes(type)))).map(([own]) => own)
    if (gone.length === 0 && (id !== undefined || types !== undefined)) throw new HubError('NOT_SUBSCRIBED', undefined, { subscription_id: id, event_type: payload['event_type'] })
    let active = 0
    if (id === undefined && types === undefined) {
      // What was asked for in the query has no id here.
      active = (await this.speaker.request<UnsubscribeResult>('unsubscribe', {})).activeSubscriptions
      this.subscribed.clear()
    }
    for (const subscriptionId of id === undefined && types === undefined ? [] : gone) {
      active = (await this.speaker.request<UnsubscribeResult>('unsubscribe', { subscriptionId })).activeSubscriptions
      this.subscribed.delete(subscriptionId)
    }
    this.speaker.send(said('unsubscribed', { subscription_ids: gone, active_subscriptions: active, cursor: this.speaker.cursor() }, message))
  }
}

/** @throws HubError INVALID_MESSAGE */
function read(input: unknown): Heard {
  const message = fieldsOf(input)
  const name = nameIn(message)
  if (name === undefined) throw new HubError('INVALID_MESSAGE', 'A message is { type, payload }.', { path: 'type' })
  return { message, name, type: typeNamed(name), payload: fieldsOf(message['payload'] ?? message['data'] ?? {}, '`payload`') }
}

/** What a message calls itself; undefined where it is none. */
export function nameIn(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const { type, event_type: other } = message as Fields
  const name = type ?? other
  return typeof name === 'string' && name !== '' && name.length <= 128 ? name : undefined
}
